"""Flow and connection records of many captures, on Spark.

``flows`` and ``connections`` give DataFrames with the columns that ``tcpskein flows`` and ``tcpskein connections``
print. The work is done by the ``tcpskein`` program in Spark's tasks; packets travel by Spark's own shuffle.
"""

from .jobs import connections, flows
from .numbering import numbered
from .program import CaptureFailed

__all__ = ["CaptureFailed", "connections", "flows", "numbered"]
