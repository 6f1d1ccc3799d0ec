"""A listener without a pointer: what is reached by keys, and whether one sees where one is."""

import io
from typing import Any

import numpy as np
from matplotlib.image import imread
from playwright.sync_api import Locator, Page

_MARGIN = 6
_CHANGED = 0.06
_LEAST_CONTRAST = 3.0
_LEAST_SHARE = 0.75
"""Of a line of one pixel around what has the focus: a round corner makes it shorter; most marks have two."""
_WHERE = """() => {
  const element = document.activeElement;
  const own = element.getBoundingClientRect();
  const over = document.elementFromPoint((own.left + own.right) / 2, (own.top + own.bottom) / 2);
  const isRow = getComputedStyle(element, "::after").outlineStyle !== "none";
  const { left, top, right, bottom } = (isRow ? element.closest("li") : element).getBoundingClientRect();
  return {
    stop: element !== document.body && element.tabIndex >= 0,
      words: element.outerHTML.slice(0, 160),
    box: [left, top, right, bottom],
    window: [innerWidth, innerHeight],
    covered: !over || !(element.contains(over) || over.contains(element)),
  };
}"""

_PALE = """(pale) => {
  const sheet = (window.withoutMarks ??= new CSSStyleSheet());
  sheet.replaceSync(["*", "*::before", "*::after"]
    .map((each) => `${each} { outline-color: transparent !important }`).join(" "));
  const others = document.adoptedStyleSheets.filter((each) => each !== sheet);
  document.adoptedStyleSheets = pale ? [...others, sheet] : others;
}"""
"""Take the colour of every outline away, or give it back."""


class Keys:
    """A page that is used by keys alone."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.stops = 0

    def press(self, key: str) -> None:
        """Press a key that moves the focus, and check that one sees where it is now."""
        self.page.keyboard.press(key)
        self.check()

    def reach(self, wanted: Locator, key: str = "Tab", most: int = 40) -> None:
        """Press a key until what is wanted has the focus."""
        for _ in range(most):
            self.press(key)
            if wanted.and_(self.page.locator(":focus")).count():
                return
        raise AssertionError(f"{most} times {key} do not lead to {wanted}")

    def check(self) -> None:
        """Fail unless what has the focus is in sight and its mark stands out from what is around it."""
        where = self.page.evaluate(_WHERE)
        assert where["stop"], f"the focus is on nothing one can use: {where['words']}"
        assert not where["covered"], f"something lies over {where['words']}"
        left, top, right, bottom = where["box"]
        width, height = where["window"]
        assert left >= 0, where
        assert top >= 0, where
        assert right <= width, where
        assert bottom <= height, where
        changed, contrast = self._mark(where)
        around = 2 * (right - left + bottom - top)
        assert changed >= _LEAST_SHARE * around, (
            f"{changed} pixels of a mark around {around}: {where['words']}"
        )
        assert contrast >= _LEAST_CONTRAST, f"a mark of contrast {contrast:.1f}: {where['words']}"
        self.stops += 1

    def _mark(self, where: dict[str, Any]) -> tuple[int, float]:
        """Return how many pixels the mark has, and its contrast to what is there without it."""
        with_it = self._picture(where)
        self.page.evaluate(_PALE, True)
        plain = self._picture(where)
        self.page.evaluate(_PALE, False)
        changed = np.abs(with_it - plain).max(axis=2) > _CHANGED
        if not changed.any():
            return 0, 1.0
        light, dark = (_luminance(each[changed]) + 0.05 for each in (with_it, plain))
        return int(changed.sum()), float(np.median(np.maximum(light, dark) / np.minimum(light, dark)))

    def _picture(self, where: dict[str, Any]) -> np.ndarray:
        left, top, right, bottom = where["box"]
        x, y = max(0.0, left - _MARGIN), max(0.0, top - _MARGIN)
        clip = {"x": x, "y": y, "width": right + _MARGIN - x, "height": bottom + _MARGIN - y}
        return imread(io.BytesIO(self.page.screenshot(clip=clip, type="png")))[:, :, :3]


def _luminance(colours: np.ndarray) -> np.ndarray:
    """Return relative luminance (WCAG 2.2) of sRGB colours from 0 to 1."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])
