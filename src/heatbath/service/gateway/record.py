"""Who remembers what happened, where nobody else was named."""

from collections.abc import Sequence

from heatbath.experiments.records import Answer, Decision, Feedback


class NullRecorder:
    """Remembers nothing."""

    async def decided(self, decision: Decision) -> None:
        """Forget it."""

    def answered(self, answer: Answer) -> None:
        """Forget it."""

    async def heard(self, feedback: Sequence[Feedback]) -> list[bool]:
        """Take every one for new."""
        return [True] * len(feedback)
