"""The only package that imports a vendor's SDK; its errors are translated here, once."""

import warnings

# oss2 has one in a docstring. Where bytecode is not kept, it is compiled at every start, and Python from 3.12 on warns
# whoever watches standard error of it each time.
warnings.filterwarnings("ignore", message=".*invalid escape sequence", module=r".*[/\\]oss2[/\\]api$")
