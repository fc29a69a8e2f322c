"""Gradients of the scores that would be drawn from, with respect to the logits and to a T that is being learned."""

import pytest

import heatbath as hb

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

STEPS = [
    hb.top_k(3),
    hb.top_p(0.8),
    hb.min_p(0.1),
    hb.typical(0.8),
    hb.top_n_sigma(1.0),
    hb.sampling.epsilon(0.05),
    hb.sampling.eta(0.05),
    hb.sampling.top_a(0.2),
    hb.sampling.p_less(),
    hb.sampling.tail_free(0.9),
    hb.sampling.top_h(0.8),
    hb.sampling.min_k(3.0),
    hb.sampling.xtc(0.2, 1.0),
    hb.sampling.smoothing(0.3, 1.5),
    hb.sampling.mirostat_v1(0.8),
    hb.sampling.mirostat_v2(0.8),
    hb.sampling.adaptive_p(0.3),
    hb.penalties(1.3, 0.5, 0.2, prompt=True),
    hb.sampling.dry(0.5, allowed_length=1),
    hb.sampling.logit_bias({1: 0.5}),
    hb.sampling.bans([2]),
]
LOGITS = [[2.0, 0.9, -1.0, 0.1, -torch.inf, 1.3], [0.3, 2.2, 1.1, -0.4, 0.8, -2.0]]


def logits():
    return torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)


def warmth(values=(0.7, 1.6)):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize(("first", "now"), [(True, True), (False, False)])
@pytest.mark.parametrize("step", STEPS, ids=repr)
def test_gradients_are_those_of_finite_differences(step, first, now):
    def scores(z, t):
        steps = (hb.temperature(t), step) if first else (step, hb.temperature(t))
        sampler = hb.chain(*steps)
        after = sampler.scores(sampler.init([1, 3, 1]) if sampler.looks_back else (), z, seed=1).scores
        after = torch.log_softmax(after, -1)
        return torch.where(torch.isfinite(after), after, 0.0)

    with hb.core.checks(now=now):
        assert torch.autograd.gradcheck(scores, (logits(), warmth()))


@pytest.mark.parametrize("t", [0.0, float("inf")])
def test_the_ends_of_the_range_have_finite_gradients(t):
    z, end = logits(), warmth([t, t])
    after = hb.chain(hb.temperature(end), hb.top_k(3)).scores((), z).scores
    torch.where(torch.isfinite(after), after, 0.0).sum().backward()
    assert torch.isfinite(z.grad).all()
    assert torch.isfinite(end.grad).all()


def test_a_bad_row_spoils_no_gradient_of_another():
    z = torch.tensor([[1.0, 2.0, 0.5], [torch.nan, 0.0, 1.0]], requires_grad=True)
    with hb.core.checks(now=False):
        after = hb.chain(hb.temperature(0.7), hb.top_p(0.9)).scores((), z).scores
    torch.log_softmax(after, -1)[0, 1].backward()
    assert torch.isfinite(z.grad[0]).all()
    assert z.grad[0].abs().sum() > 0
    assert (z.grad[1] == 0).all()


def test_t_can_be_learned_through_a_chain():
    torch.manual_seed(0)
    z = torch.randn(500, 8, dtype=torch.float64) * 2
    tokens = torch.distributions.Categorical(logits=z / 1.7).sample()
    log_t = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_t], max_iter=30)

    def loss():
        optimiser.zero_grad()
        after = hb.chain(hb.temperature(log_t.exp()), hb.sampling.bans([7])).scores((), z[tokens != 7]).scores
        nats = torch.nn.functional.cross_entropy(after, tokens[tokens != 7])
        nats.backward()
        return nats

    optimiser.step(loss)
    assert log_t.exp().item() == pytest.approx(1.7, rel=0.1)
    assert abs(log_t.grad) < 1e-4
