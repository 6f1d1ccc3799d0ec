"""Fingers on a touch screen, as a browser's engine hears of them."""

from playwright.sync_api import CDPSession

Spot = tuple[float, float]

_STEPS = 8


class Fingers:
    """Fingers by their numbers, at most as many as are put down."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        self._down: dict[int, Spot] = {}

    def put(self, *spots: Spot) -> None:
        """Put a finger down at each spot, one after the other."""
        for spot in spots:
            self._down[len(self._down)] = spot
            self._tell("touchStart")

    def slide(self, *spots: Spot) -> None:
        """Slide all fingers to these spots, each on its straight way."""
        starts = list(self._down.values())
        for step in range(1, _STEPS + 1):
            share = step / _STEPS
            for finger, ((x, y), (to_x, to_y)) in enumerate(zip(starts, spots, strict=True)):
                self._down[finger] = (x + share * (to_x - x), y + share * (to_y - y))
            self._tell("touchMove")

    def lift(self) -> None:
        """Lift the fingers, the last one first."""
        while self._down:
            self._down.popitem()
            self._tell("touchEnd")

    def tap(self, spot: Spot) -> None:
        self.put(spot)
        self.lift()

    def _tell(self, kind: str) -> None:
        points = [{"id": finger, "x": x, "y": y} for finger, (x, y) in self._down.items()]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
