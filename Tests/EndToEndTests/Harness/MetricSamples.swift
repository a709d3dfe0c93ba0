/// Metrics as `begat status --prometheus` prints them.
struct MetricSamples {
  let lines: [String]

  init(_ text: String) { lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init) }

  /// The value of the series, written with its labels, in their order; nil if there is none.
  subscript(series: String) -> Double? {
    lines.first { $0.hasPrefix(series + " ") }.flatMap { Double($0.dropFirst(series.count + 1)) }
  }

  /// The sum of all series of a service that begin so.
  func sum(_ metric: String, service: String) -> Double {
    let beginning = "\(metric){service=\"\(service)\""
    return lines.filter { $0.hasPrefix(beginning) }
      .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
  }
}
