import JSON
import Settings
@_spi(Begat) import UnixCore

/// The figures of one load run, for people and for programs.
struct LoadReport {
  struct Held {
    let wanted: Int
    let open: Int
    let failure: SystemCallError?
  }

  /// The headers that began the connections.
  struct Proxy {
    let version: ProxyClaim.Version
    let clients: Int
  }

  let address: SocketAddress
  let usesDatagrams: Bool
  let concurrency: Int
  /// Connections that were to begin in a second; nil of a closed loop.
  let offeredRate: Double?
  let sources: Int
  let proxy: Proxy?
  let nanoseconds: Int64
  /// Processor time of the generator: near to all of a processor, it measured itself.
  let processor: Int64
  let held: Held
  let tally: LoadTally

  var hasFailures: Bool { tally.hasFailures || held.open < held.wanted }

  private var seconds: Double { Double(nanoseconds) / 1e9 }
  private var rate: Double { Double(tally[.ok]) / max(seconds, 1e-9) }
  private var processorShare: Double { Double(processor) / Double(max(nanoseconds, 1)) }
  private var failures: [LoadOutcome] { LoadOutcome.allCases.filter { $0 != .ok } }

  private static let percentiles: [(name: String, key: String, value: Double)] = [
    ("p50", "p50", 50), ("p75", "p75", 75), ("p90", "p90", 90), ("p95", "p95", 95), ("p99", "p99", 99),
    ("p99.9", "p99_9", 99.9), ("p99.99", "p99_99", 99.99),
  ]

  /// One line has room for these.
  private static let namesInTable = ["min", "p50", "p90", "p99", "p99.9", "max"]

  private var latencies: [(name: String, key: String, microseconds: UInt64)] {
    guard tally.latency.totalCount > 0 else { return [] }
    return [("min", "min", tally.latency.min)]
      + Self.percentiles.map { ($0.name, $0.key, tally.latency.valueAtPercentile($0.value)) }
      + [("max", "max", tally.latency.max)]
  }
}

extension LoadReport {
  var table: String {
    var rows = [
      ("target", "\(address)\(usesDatagrams ? " by datagrams" : ""), \(pace)\(origin)"),
      (
        usesDatagrams ? "questions" : "connections",
        "\(tally[.ok]) ok" + (tally.hasFailures ? ", \(tally.failed) failed" : "")
          + " in \(decimal(seconds, places: 2)) s"
      ),
      ("rate", "\(decimal(rate, places: 1))/s"),
      ("received", "\(tally.bytes) bytes"),
    ]
    if !latencies.isEmpty {
      let shown = latencies.filter { Self.namesInTable.contains($0.name) }
      rows.append(("latency", shown.map { "\($0.name) \($0.microseconds)" }.joined(separator: "  ") + "  µs"))
    }
    for outcome in failures where tally[outcome] > 0 {
      rows.append((outcome.name, "\(tally[outcome])" + explanation(of: outcome)))
    }
    if tally.backlogFull > 0 { rows.append(("backlog full", "\(tally.backlogFull) times, tried again")) }
    if tally.delayed > 0 { rows.append(("delayed", "\(tally.delayed)\(allUnderWay)")) }
    if tally.unbegun > 0 { rows.append(("not begun", "\(tally.unbegun)\(allUnderWay)")) }
    if held.wanted > 0 {
      let reason = held.failure.map { " (\($0))" } ?? ""
      rows.append(("held", "\(held.open) of \(held.wanted) until the end\(reason)"))
    }
    rows.append(("generator", "\(decimal(processorShare * 100, places: 0)) % of a processor"))
    return rows.map { name, text in name + String(repeating: " ", count: 14 - name.count) + text }
      .joined(separator: "\n")
  }

  private var pace: String {
    guard let offeredRate else { return "\(concurrency) at once" }
    let places = offeredRate >= 100 ? 0 : offeredRate >= 0.1 ? 2 : 3
    return "\(decimal(offeredRate, places: places)) begun in a second, at most \(concurrency) at once"
  }

  private var allUnderWay: String { " (as many as --concurrency allows were under way)" }

  private var origin: String {
    if let proxy {
      return ", for \(proxy.clients) \(proxy.clients == 1 ? "client" : "clients") by PROXY \(proxy.version.rawValue)"
    }
    return sources > 0 ? ", from \(sources) addresses" : ""
  }

  /// Details that the count alone does not give.
  private func explanation(of outcome: LoadOutcome) -> String {
    switch outcome {
    case .empty where usesDatagrams: return " (answers without a byte; --expect-bytes 0 allows them)"
    case .empty: return " (closed without a byte; --sources may avoid a limit per source, --expect-bytes 0 allows it)"
    case .other:
      let advice = tally.firstOtherError == .addressNotAvailable ? "; the local ports are used up: --sources" : ""
      return tally.firstOtherError.map { " (the first: \($0)\(advice))" } ?? ""
    default: return ""
    }
  }

  /// One object on one line; latencies are in microseconds.
  var json: String {
    // The address comes with its unprintable bytes escaped already.
    var figures: [JSONValue.Member] = [
      .init("target", .string(address.description)), .init("datagrams", .boolean(usesDatagrams)),
      .init("concurrency", .count(concurrency)),
      .init("offered_rate", .optional(offeredRate) { .number(rounded($0, places: 3)) }),
      .init("sources", .count(sources)), .init("proxy", .optional(proxy) { .string($0.version.rawValue) }),
      .init("claimed_clients", .count(proxy?.clients ?? 0)), .init("seconds", .number(rounded(seconds, places: 6))),
      .init("connections", .count(tally.total)), .init("rate", .number(rounded(rate, places: 1))),
      .init("failed", .count(tally.failed)),
    ]
    figures += LoadOutcome.allCases.map { .init($0.key, .count(tally[$0])) }
    figures += [
      .init("backlog_full", .count(tally.backlogFull)), .init("delayed", .count(tally.delayed)),
      .init("not_begun", .count(tally.unbegun)), .init("bytes", .count(tally.bytes)),
      .init("held_wanted", .count(held.wanted)), .init("held", .count(held.open)),
      .init("generator_cpu", .number(rounded(processorShare, places: 3))),
    ]
    figures += latencies.map { .init("latency_\($0.key)", .count($0.microseconds)) }
    return JSONValue.object(figures).text
  }

  private func rounded(_ value: Double, places: Int) -> Double {
    let scale = Double((0..<places).reduce(1) { product, _ in product * 10 })
    return (value * scale).rounded() / scale
  }

  private func decimal(_ value: Double, places: Int) -> String {
    let scale = (0..<places).reduce(1) { product, _ in product * 10 }
    guard let scaled = Int(exactly: (value * Double(scale)).rounded()), scaled >= 0 else { return "0" }
    guard places > 0 else { return "\(scaled)" }
    let fraction = String(scaled % scale)
    return "\(scaled / scale)." + String(repeating: "0", count: places - fraction.count) + fraction
  }
}
