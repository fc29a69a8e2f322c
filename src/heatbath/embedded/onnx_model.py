"""A causal language model in ONNX, several texts at once."""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from heatbath.embedded.cache import KeyValueCache
from heatbath.embedded.directory import read_directory
from heatbath.embedded.session import Session
from heatbath.embedded.tokenizer import JsonTokenizer
from heatbath.errors import InputError, ModelError
from heatbath.types import Cache, Tokenizer

Scores = npt.NDArray[np.float32]


class OnnxModel:
    """Any causal language model exported to ONNX with a key/value cache; follows :class:`heatbath.types.Model`.

    Names, types and numbers of heads are read from the graph; `position_ids`, `attention_mask` and `use_cache_branch`
    are given to graphs that ask for them. Rows of different lengths share one call where the graph is told positions
    and padding; other graphs are called once for each length. Prompts are never padded: a score after a prompt does not
    depend on what else was started with it.

    >>> from heatbath.embedded import load
    >>> model = load()
    >>> scores, cache = model.start([model.tokenizer.encode("Once upon a")])
    >>> model.tokenizer.token_bytes(int(scores[0].argmax()))
    b' time'
    >>> scores, cache = model.step(cache, [int(scores[0].argmax())])
    >>> scores.shape, cache.lengths
    ((1, 2048), (5,))
    """

    def __init__(
        self,
        session: Session,
        tokenizer: JsonTokenizer,
        *,
        name: str,
        vocabulary: int,
        context: int,
        start_token: int | None,
        stop_tokens: frozenset[int],
        example_prompts: tuple[str, ...] = (),
        languages: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.vocabulary = vocabulary
        self.context = context
        self.stop_tokens = stop_tokens
        self.example_prompts = example_prompts
        self.languages = languages
        self.tokenizer: Tokenizer = tokenizer
        self._session = session
        self._start_token = start_token

    def __repr__(self) -> str:
        return f"<OnnxModel {self.name}: {self.vocabulary} tokens, context {self.context}>"

    @classmethod
    def load(cls, path: str | Path, *, name: str | None = None, threads: int = 1) -> Self:
        """Load a model from its directory.

        Arguments:
            path: a directory with the graph, `tokenizer.json` and `config.json`, as the Hugging Face hub and Optimum
                lay them out.
            name: what the model is called; the name of the directory by default.
            threads: threads for one call, 1 or more.

        Raises:
            ModelError: a file is missing or cannot be used; the message says what to do.
            MissingExtraError: onnxruntime or tokenizers is not installed.

        How to choose: one thread for small models, which a second thread slows down, and where several requests run
        side by side; the number of cores for a model of a hundred million parameters or more.
        """
        if threads < 1:
            raise InputError(
                "a call needs a thread", doing="loading a model", on=f"threads={threads}", instead="write threads=1"
            )
        found = read_directory(Path(path))
        session, tokenizer = Session(found.graph, threads), JsonTokenizer(found.tokenizer)
        vocabulary = session.vocabulary
        if vocabulary is None:  # the graph does not say; a call does
            vocabulary = session.run(np.zeros((1, 1), dtype=np.int64), session.empty(1))[0].shape[-1]
        return cls(
            session,
            tokenizer,
            name=name or Path(path).resolve().name,
            vocabulary=vocabulary,
            context=found.context,
            start_token=found.start_token,
            stop_tokens=found.stop_tokens,
            example_prompts=found.example_prompts,
            languages=found.languages,
        )

    def start(self, prompts: Sequence[Sequence[int]]) -> tuple[Scores, KeyValueCache]:
        """Scores after each prompt, and the cache.

        Arguments:
            prompts: token ids, B rows of any lengths up to the context. An empty prompt means the beginning of a text.

        Returns:
            Scores ``(B, V)`` in float32, and the cache of the B rows.

        Raises:
            InputError: there is no prompt, one is no list of token ids or longer than the context, or a token is not in
                the vocabulary.
        """
        doing = "starting texts"
        if len(prompts) == 0:
            raise InputError("there are none", doing=doing, on="prompts", instead="give at least one prompt")
        for row, prompt in enumerate(prompts):
            if isinstance(prompt, str | bytes) or not isinstance(prompt, Iterable):
                raise InputError(
                    f"{prompt!r:.40} is no list of token ids",
                    doing=doing,
                    on=f"prompt {row}",
                    instead="give [model.tokenizer.encode(text)], one list per row",
                )
        texts = [tuple(prompt) or self._beginning() for prompt in prompts]
        for row, text in enumerate(texts):
            if len(text) > self.context:
                raise InputError(
                    f"the prompt has {len(text)} tokens and the context of {self.name} {self.context}",
                    doing=doing,
                    on=f"prompt {row}",
                    instead="shorten the prompt, or keep only its last part",
                )
            self._check(text, doing)
        unique = list(dict.fromkeys(texts))  # three continuations of one prompt read it once
        scores, cache = _by_length(
            [len(text) for text in unique],
            lambda rows: self._session.run(
                np.array([unique[row] for row in rows], dtype=np.int64), self._session.empty(len(rows))
            ),
        )
        order = [unique.index(text) for text in texts]
        return scores[order], cache.rows(order)

    def step(self, cache: Cache, tokens: Sequence[int]) -> tuple[Scores, KeyValueCache]:
        """Scores after one more token per row, and the cache.

        Arguments:
            cache: of B rows; it is not changed.
            tokens: one token id per row.

        Returns:
            Scores ``(B, V)`` in float32, and the cache of the B rows, each one token longer.

        Raises:
            InputError: not one token per row, a token that is not in the vocabulary, or another model's cache.
            ModelError: a row is as long as the context.
        """
        doing = "taking a step"
        if not isinstance(cache, KeyValueCache) or not self._session.made(cache):
            raise InputError(
                f"{self.name} did not make it",
                doing=doing,
                on=f"a {type(cache).__name__} of another model",
                instead="give the cache that start or step returned",
            )
        if not tokens or len(tokens) != len(cache.lengths):
            raise InputError(
                f"the cache has {len(cache.lengths)} rows",
                doing=doing,
                on=f"{len(tokens)} tokens",
                instead="give one token for each row, and at least one row",
            )
        self._check(tokens, doing)
        if max(cache.lengths) >= self.context:
            raise ModelError(
                f"it is as long as the context of {self.name} ({self.context} tokens)",
                doing=doing,
                on=f"row {cache.lengths.index(max(cache.lengths))}",
                instead="end the text there (cache.lengths is how long each row is), or start again with its end",
            )
        column = np.array(tokens, dtype=np.int64)[:, None]
        if self._session.takes_padding:
            return self._session.run(column, cache)
        return _by_length(cache.lengths, lambda rows: self._session.run(column[rows], cache.rows(rows)))

    def _beginning(self) -> tuple[int]:
        if self._start_token is None:
            raise InputError(
                f"{self.name} has no token that starts a text",
                doing="starting texts",
                on="an empty prompt",
                instead="write a prompt",
            )
        return (self._start_token,)

    def _check(self, tokens: Iterable[int], doing: str) -> None:
        for token in tokens:
            if isinstance(token, bool) or not isinstance(token, int | np.integer):
                raise InputError(
                    "a token id is a whole number",
                    doing=doing,
                    on=f"token {token!r:.40}",
                    instead="use the model's own tokenizer",
                )
            if not 0 <= token < self.vocabulary:
                raise InputError(
                    f"{self.name} has tokens 0 to {self.vocabulary - 1}",
                    doing=doing,
                    on=f"token {token}",
                    instead="use the model's own tokenizer",
                )


def _by_length(
    lengths: Sequence[int], run: Callable[[list[int]], tuple[Scores, KeyValueCache]]
) -> tuple[Scores, KeyValueCache]:
    """Run the rows of each length together, and put what comes back in the order of the rows."""
    groups = [[row for row, own in enumerate(lengths) if own == length] for length in sorted(set(lengths))]
    results = [run(rows) for rows in groups]
    scores = np.concatenate([scores for scores, _ in results])
    cache = reduce(KeyValueCache.join, (cache for _, cache in results))
    done = [row for rows in groups for row in rows]
    order = [done.index(row) for row in range(len(lengths))]
    return scores[order], cache.rows(order)
