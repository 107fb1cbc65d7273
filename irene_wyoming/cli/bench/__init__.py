"""``irene-wyoming bench WHAT``: one module per WHAT, each with HELP, ABOUT, add_arguments and run."""
