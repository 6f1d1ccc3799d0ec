"""One script is joined from many modules: in order, complete, and refused where they do not fit."""

import pytest

from segue.player.bundle import NotJoinable, join_modules, loader_script, player_script

SUMS = """import {
  one,
  two,
} from "./numbers.js";

export function twice(value) {
  return two * value + one - one;
}
"""
MODULES = {
    "main.js": 'import { twice } from "./sums.js";\nimport { one } from "./numbers.js";\n\n'
    "export default twice(one);\n",
    "sums.js": SUMS,
    "numbers.js": "export const one = 1;\nexport const two = 2;\n",
    "unused.js": "export const three = 3;\n",
}


def test_modules_stand_after_what_they_import_and_once_each():
    assert join_modules(MODULES, "main.js") == (
        "// numbers.js\nconst one = 1;\nconst two = 2;\n\n"
        "// sums.js\nfunction twice(value) {\n  return two * value + one - one;\n}\n\n"
        "// main.js\nexport default twice(one);\n"
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"sums.js": "const one = 3;\nexport const twice = one;\n"},
            "sums.js and numbers.js both declare one",
        ),
        ({"main.js": 'import { four } from "./numbers.js";\n'}, "main.js imports four, which numbers.js"),
        ({"main.js": 'import { four } from "./four.js";\n'}, "main.js imports four.js, which is not there"),
        ({"main.js": 'import * as all from "./numbers.js";\n'}, "write import"),
        ({"main.js": 'import { one as first } from "./numbers.js";\n'}, "write import"),
        ({"numbers.js": 'import { twice } from "./sums.js";\nexport const one = twice;\n'}, "in a circle"),
    ],
)
def test_what_cannot_stand_together_is_refused(changed: dict[str, str], said: str):
    with pytest.raises(NotJoinable, match=said):
        join_modules(MODULES | changed, "main.js")


def test_the_player_is_one_module_with_one_export_and_no_import():
    module = player_script()
    assert module.count("\nexport ") == 1
    assert "\nimport " not in module
    assert "innerHTML" not in module


def test_the_loader_is_a_plain_script_that_keeps_its_names_to_itself():
    script = loader_script()
    assert script.startswith('"use strict";\n{\n')
    assert script.endswith("}\n")
    assert "\nexport " not in script
    assert "\nimport " not in script
    assert "innerHTML" not in script
