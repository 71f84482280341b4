"""What changed, and how sure we are."""

from .report.model import Finding, Report, Severity, Surface, Verdict

__all__ = ["Finding", "Report", "Severity", "Surface", "Verdict"]
