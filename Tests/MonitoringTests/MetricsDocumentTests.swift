import Foundation
import Monitoring
import Testing

/// Metrics that the documentation, the dashboard and the alerts mention.
@Suite(.timeLimit(.minutes(30))) struct MetricsDocumentTests {
  private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private static func text(_ file: String) throws -> String {
    try String(contentsOf: package.appendingPathComponent(file), encoding: .utf8)
  }

  /// The type of each metric that exists.
  private static let types: [String: String] = {
    var types: [String: String] = [:]
    for line in metrics(SampleReport.full) where line.hasPrefix("# TYPE ") {
      let words = line.split(separator: " ").map(String.init)
      types[words[2]] = words[3]
    }
    return types
  }()

  /// The names that queries may use.
  private static let names = Set(
    types.flatMap { name, type in type == "histogram" ? ["_bucket", "_sum", "_count"].map { name + $0 } : [name] })

  /// The labels of each metric that exists.
  private static let labels: [String: Set<String>] = {
    var labels: [String: Set<String>] = [:]
    for line in metrics(SampleReport.full) where !line.hasPrefix("#") && !line.isEmpty {
      let name = line.prefix { $0 != "{" && $0 != " " }
      labels[String(name), default: []].formUnion(line.matches(of: /([a-z]+)="/).map { String($0.1) })
    }
    return labels
  }()

  @Test func everyMetricIsDocumented() throws {
    let rows = try Self.text("docs/metrics.md").matches(of: /\| `(begat_[a-z_]+)` \| ([a-z]+) \| ([^|]*)\|/)
    let documented = Dictionary(rows.map { (String($0.1), String($0.2)) }) { first, _ in first }
    #expect(rows.count == documented.count, "a metric is documented twice")
    #expect(documented == Self.types)
    for row in rows where row.2 != "histogram" {
      var labels = Set(row.3.matches(of: /`([a-z]+)`/).map { String($0.1) })
      if Self.labels[String(row.1)]?.contains("service") == true { labels.insert("service") }
      #expect(Self.labels[String(row.1)] == labels, "\(row.1)")
    }
  }

  @Test func theTextNamesOnlyMetricsThatExist() throws {
    for match in try Self.text("docs/metrics.md").matches(of: /begat_[a-z_]+/) {
      #expect(Self.names.union(Self.types.keys).contains(String(match.0)))
    }
  }

  @Test(arguments: ["etc/grafana/begat-dashboard.json", "etc/prometheus/begat-alerts.yml"])
  func queriesNameOnlyMetricsThatExist(file: String) throws {
    let named = Set(try Self.text(file).matches(of: /begat_[a-z_]+/).map { String($0.0) })
    #expect(!named.isEmpty)
    #expect(named.subtracting(Self.names) == [])
  }

  /// The dashboard shows everything that can be shown as a curve or a number.
  @Test func theDashboardIsComplete() throws {
    let text = try Self.text("etc/grafana/begat-dashboard.json")
    let unused: Set = [
      "begat_build_info", "begat_state", "begat_listening_sockets", "begat_service_confined",
      "begat_reload_last_age_seconds",
      "begat_configuration_age_seconds",
    ]
    for name in Self.names.subtracting(unused) { #expect(text.contains(name), "\(name)") }
  }

  @Test func theDashboardIsJSONWithoutOverlaps() throws {
    let data = Data(try Self.text("etc/grafana/begat-dashboard.json").utf8)
    let dashboard = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let panels = try #require(dashboard["panels"] as? [[String: Any]])
    #expect(Set(panels.compactMap { $0["id"] as? Int }).count == panels.count)
    var taken: Set<[Int]> = []
    for panel in panels {
      let place = try #require(panel["gridPos"] as? [String: Int])
      let (x, y) = (try #require(place["x"]), try #require(place["y"]))
      for column in x..<(x + (place["w"] ?? 0)) {
        #expect(column < 24)
        for row in y..<(y + (place["h"] ?? 0)) { #expect(taken.insert([column, row]).inserted) }
      }
    }
  }
}
