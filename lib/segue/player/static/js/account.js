// Who is listening, and the way out.

import { h, setText } from "./dom.js";
import { icon } from "./icons.js";

export function accountButton(app) {
  const name = h("span", { class: "account-name" });
  const button = h(
    "button",
    {
      class: "account",
      type: "button",
      "data-testid": "account",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": "Account",
      hidden: true,
      onclick: open,
    },
    icon("person"),
    name,
  );

  function open() {
    const { listener } = app.state.welcome;
    app.menus.open(
      button,
      [
        h(
          "p",
          { class: "menu-head", role: "presentation" },
          listener.local ? "You listen on this machine" : listener.name,
        ),
        { label: "Your activity", picture: "activity", act: () => app.go("activity") },
        { label: "Keys", picture: "help", act: app.showKeys },
        app.hasNotes() && { label: "How it works", picture: "about", act: app.showNotes },
        !listener.local && accountPage(app),
        !listener.local && logOut(app),
      ],
      "Account",
    );
  }

  app.state.on("welcome", (welcome) => {
    button.hidden = false;
    setText(name, welcome.listener.local ? "Demo listener" : welcome.listener.name);
    button.setAttribute("aria-label", `Account: ${name.textContent}`);
  });
  return button;
}

/** In a tab of its own, so that the music goes on. */
function accountPage(app) {
  return h(
    "a",
    {
      class: "menu-item",
      href: `${app.base}account`,
      target: "_blank",
      rel: "noopener",
      role: "menuitem",
      "data-testid": "account-page",
    },
    icon("person"),
    "Your account",
  );
}

/** A form, so that it works like any form; the hidden field proves that our own page sent it. */
function logOut(app) {
  const proof = h("input", { type: "hidden", name: "_xsrf" });
  const send = () => {
    proof.value = document.querySelector("meta[name=segue-xsrf]").content;
    app.forgetSession();
  };
  return h(
    "form",
    { method: "post", action: `${app.base}logout`, class: "log-out", role: "none", onsubmit: send },
    proof,
    h(
      "button",
      { class: "menu-item", type: "submit", role: "menuitem", "data-testid": "logout" },
      icon("leave"),
      "Log out",
    ),
  );
}
