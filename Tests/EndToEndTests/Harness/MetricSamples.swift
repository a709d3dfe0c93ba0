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

extension MetricSamples {
  /// Reads samples until they are as wanted: a listener counts an end when it reaps.
  static func awaited(once isWanted: (MetricSamples) -> Bool, _ read: () throws -> MetricSamples) throws
    -> MetricSamples
  {
    var last = MetricSamples("")
    let isSo = try eventually {
      last = try read()
      return isWanted(last)
    }
    let found = last
    guard isSo else { throw HarnessFailure("metrics do not become so:\n\(found.lines.joined(separator: "\n"))") }
    return found
  }
}
