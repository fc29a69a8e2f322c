"""Configuration of the documentation site. Nothing is fetched while it is built or read."""

import sys
from pathlib import Path

import heatbath

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]  # the extensions, and the training scripts that an example uses
ICON = "../src/heatbath/service/studio/static/icon.svg"

project = "heatbath"
author = "the heatbath authors"
copyright = "the heatbath authors, Apache-2.0"  # the name that Sphinx reads
version = release = heatbath.__version__

extensions = ["sphinx.ext.autodoc", "sphinx_gallery.gen_gallery", "docstrings", "generated"]
exclude_patterns = ["_build", "examples"]
nitpicky = True  # a reference that leads nowhere is an error
default_role = "code"
highlight_language = "text"  # of blocks that say nothing else

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # most are "an array of any library"; the text gives shapes and ranges
autodoc_preserve_defaults = True
autodoc_mock_imports = ["mlx", "sglang", "vllm"]  # tools for other machines; their files are read without them

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "within_subsection_order": "FileNameSortKey",
    "reset_modules": ("figures.apply_style",),
    "abort_on_example_error": True,
    "write_computation_times": False,
    "min_reported_time": 1_000_000,  # how long an example took here says nothing about there
    "download_all_examples": False,
    "show_signature": False,
    "image_srcset": ["2x"],
    "remove_config_comments": True,
    "copyfile_regex": r"(?!)",
}

html_theme = "furo"
html_title = "heatbath"
html_static_path = ["_static", ICON]
html_css_files = ["heatbath.css"]
html_favicon = ICON
html_show_sourcelink = False
html_show_sphinx = False
html_copy_source = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#a34700", "color-brand-content": "#1f6699"},
    "dark_css_variables": {"color-brand-primary": "#e8904a", "color-brand-content": "#6db3e8"},
    "light_logo": "icon.svg",
    "dark_logo": "icon.svg",
    "top_of_page_buttons": [],
}
