"""Where the tracks of the map are in the window."""

from playwright.sync_api import Page

from segue.store import Store


def spots(page: Page, store: Store) -> dict[int, tuple[float, float]]:
    """Return where in the window each track of the whole map is, by the documented fit of 90 %."""
    box = page.get_by_test_id("map").bounding_box()
    overview = store.maps.overview()
    assert box is not None
    assert overview is not None
    width, height = overview["width"], overview["height"]
    scale = 0.9 * min(box["width"] / width, box["height"] / height)
    (left, top), unit = overview["origin"], overview["unit"]
    return {
        card.track_id: (
            box["x"] + box["width"] / 2 + ((card.xy[0] - left) / unit - width / 2) * scale,
            box["y"] + box["height"] / 2 + ((top - card.xy[1]) / unit - height / 2) * scale,
        )
        for card in store.cards.find("", 100)[0]
        if card.xy
    }
