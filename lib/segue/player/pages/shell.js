// Takes the shell away as soon as a widget has drawn something, and says so when none does.
const shell = document.getElementById("segue-shell");
const LATE_MS = 45000;

// Voila's scripts call these when their theme and the notebook's cells are there.
window.display_cells = () => {};
window.voila_process = () => {};
window.voila_finish = () => {};

function drawn() {
  return document.querySelector("#rendered_cells .jp-OutputArea-output > .lm-Widget > *") !== null;
}

const late = setTimeout(() => {
  const state = shell.querySelector(".segue-shell-state");
  state.textContent = "This takes longer than it should. ";
  const again = document.createElement("a");
  again.href = "/";
  again.textContent = "Try again";
  state.append(again);
}, LATE_MS);

const observer = new MutationObserver(() => {
  if (!drawn()) return;
  observer.disconnect();
  clearTimeout(late);
  shell.remove();
});
observer.observe(document.body, { childList: true, subtree: true });
