// What is pressed in the shell before the player's own controls stand there is pressed in those.

/** Listens; returns what ends that, which returns what gives it all to the player's element, in order. */
export function keepClicks() {
  const kept = [];

  function note(event) {
    const control = event.target.closest?.("#segue-shell :is(button, input)");
    if (!control) return;
    kept.push({ chosen: nameOf(control), value: control.type === "range" ? control.value : null });
    if (control.matches(".control-play")) control.closest(".bar").setAttribute("aria-busy", "true");
  }

  document.addEventListener("click", note);
  document.addEventListener("input", note);
  return () => {
    document.removeEventListener("click", note);
    document.removeEventListener("input", note);
    const focused = document.activeElement?.closest("#segue-shell :is(a, button, input)");
    return (player) => {
      for (const { chosen, value } of kept) press(player.querySelector(chosen), value);
      if (focused) player.querySelector(nameOf(focused))?.focus();
    };
  };
}

function nameOf({ dataset, ariaLabel }) {
  return dataset.testid ? `[data-testid="${dataset.testid}"]` : `[aria-label="${ariaLabel}"]`;
}

function press(control, value) {
  if (!control) return;
  if (value === null) control.click();
  else {
    control.value = value;
    for (const kind of ["input", "change"]) control.dispatchEvent(new Event(kind, { bubbles: true }));
  }
}
