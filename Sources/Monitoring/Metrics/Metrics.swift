/// The metrics of a report in the text format that Prometheus reads.
///
/// No metric and no label names a client: as many series exist as services and their states have.
///
/// Source: docs/metrics.md; Prometheus, text-based exposition format, version 0.0.4.
public enum Metrics {
  /// The media type of the text.
  public static let mediaType: StaticString = "text/plain; version=0.0.4; charset=utf-8"

  /// Appends all metrics, a line for each sample.
  public static func append(_ report: StatusReport, to output: inout [UInt8]) {
    var report = report
    report.mergeServices()
    for metrics in [Metric.daemon, Metric.services, Metric.connections, Metric.datagrams] {
      for metric in metrics { metric.append(report, to: &output) }
    }
  }
}
