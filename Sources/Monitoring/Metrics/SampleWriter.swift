/// Writes the samples of one metric.
///
/// Source: Prometheus, text-based exposition format, version 0.0.4.
struct SampleWriter {
  typealias Labels = KeyValuePairs<StaticString, String>

  private let name: StaticString
  var output: [UInt8] = []

  /// - Parameter output: taken, so that it is not copied; the caller takes it back.
  init(_ name: StaticString, taking output: inout [UInt8]) {
    self.name = name
    swap(&self.output, &output)
  }

  mutating func add(_ value: some BinaryInteger, _ labels: Labels = [:]) {
    begin("", labels)
    output.append(decimal: value)
    output.append("\n")
  }

  mutating func add(_ value: Bool, _ labels: Labels = [:]) { add(value ? 1 : 0, labels) }

  mutating func add(_ seconds: Duration, _ labels: Labels = [:]) {
    begin("", labels)
    output.append(seconds: seconds)
    output.append("\n")
  }

  /// A sample for each possible state: 1 for the present one, 0 for the others.
  mutating func add<State: CaseIterable & RawRepresentable>(
    states: State.Type, present: State, service: String? = nil
  ) where State.RawValue == String {
    for state in State.allCases {
      let isPresent = state.rawValue == present.rawValue
      if let service {
        add(isPresent, ["service": service, "state": state.rawValue])
      } else {
        add(isPresent, ["state": state.rawValue])
      }
    }
  }

  /// Buckets, each with the connections of those before it.
  mutating func add(_ histogram: DurationHistogram, service: String) {
    var sum: UInt64 = 0
    for (index, count) in histogram.counts.enumerated() {
      sum &+= count
      begin("_bucket", ["service": service], bound: .some(DurationHistogram.bounds.dropFirst(index).first))
      output.append(decimal: sum)
      output.append("\n")
    }
    begin("_sum", ["service": service])
    output.append(seconds: histogram.sum)
    output.append("\n")
    begin("_count", ["service": service])
    output.append(decimal: sum)
    output.append("\n")
  }

  /// - Parameter bound: of a bucket, the upper end; the last one has none.
  private mutating func begin(_ suffix: StaticString, _ labels: Labels, bound: Duration?? = nil) {
    output.append(name)
    output.append(suffix)
    var isFirst = true
    for (label, value) in labels {
      output.append(isFirst ? "{" : ",")
      isFirst = false
      output.append(label)
      output.append("=\"")
      output.append(value, escaping: SampleWriter.escape)
      output.append("\"")
    }
    if let bound {
      output.append(",le=\"")
      if let bound { output.append(seconds: bound) } else { output.append("+Inf") }
      output.append("\"")
      isFirst = false
    }
    output.append(isFirst ? " " : "} ")
  }

  private static func escape(_ scalar: Unicode.Scalar) -> StaticString? {
    switch scalar {
    case "\\": "\\\\"
    case "\"": "\\\""
    case "\n": "\\n"
    default: nil
    }
  }
}
