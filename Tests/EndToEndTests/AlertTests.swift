import Foundation
import Testing

/// The alerts and the dashboard, as Prometheus reads them.
@Suite(.timeLimit(.minutes(30)))
struct AlertTests {
  private static let rules = "\(Programs.package)/etc/prometheus/begat-alerts.yml"

  private func promtool(_ words: String...) throws -> RunningProgram {
    try RunningProgram.run(try Programs.tool("promtool"), words)
  }

  @Test func rulesAreAccepted() throws {
    let check = try promtool("check", "rules", "--lint=all", "--lint-fatal", Self.rules)
    #expect(check.status == .exited(code: 0), "\(check.output.text)\(check.errors.text)")
    #expect(check.output.text.contains("SUCCESS: 4 rules found"))
  }

  /// Each alert fires for its trouble after its time, and for nothing else.
  @Test func alertsFire() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(Self.cases, to: "test.yml")
    let test = try promtool("test", "rules", file)
    #expect(test.status == .exited(code: 0), "\(test.output.text)\(test.errors.text)")
  }

  /// Every query of the dashboard becomes a rule, so that it is parsed.
  @Test func queriesOfTheDashboardAreAccepted() throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(Programs.package)/etc/grafana/begat-dashboard.json"))
    let queries = AlertTests.queries(try JSONSerialization.jsonObject(with: data))
    #expect(queries.count > 20)
    let rules = queries.enumerated().map { number, query in
      let text = query.replacing("$__rate_interval", with: "1m")
      return "  - record: query\(number)\n    expr: '\(text)'\n"
    }
    let directory = try TemporaryDirectory()
    let file = try directory.write("groups:\n- name: a\n  rules:\n" + rules.joined(), to: "queries.yml")
    let check = try promtool("check", "rules", file)
    #expect(check.status == .exited(code: 0), "\(check.output.text)\(check.errors.text)")
  }

  private static func queries(_ json: Any) -> [String] {
    switch json {
    case let members as [String: Any]:
      (members["expr"] as? String).map { [$0] } ?? members.values.flatMap { queries($0) }
    case let elements as [Any]: elements.flatMap { queries($0) }
    default: []
    }
  }

  private static let cases = #"""
    rule_files: ["\#(rules)"]
    evaluation_interval: 1m
    tests:
      - name: all is well
        interval: 1m
        input_series:
          - {series: 'begat_up{instance="a"}', values: '1x60'}
          - {series: 'begat_reload_last_successful{instance="a"}', values: '1x60'}
          - {series: 'begat_service_state{instance="a",service="time",state="serving"}', values: '1x60'}
          - {series: 'begat_service_state{instance="a",service="time",state="failed"}', values: '0x60'}
          - {series: 'begat_service_state{instance="a",service="echo",state="drained"}', values: '1x60'}
          - {series: 'begat_service_state{instance="a",service="echo",state="failed"}', values: '0x60'}
          - {series: 'begat_listener_starts_total{instance="a",service="time"}', values: '1x9 2x50'}
          - {series: 'begat_connections_open{instance="a",service="time"}', values: '200x60'}
          - {series: 'begat_connections_limit{instance="a",service="time"}', values: '256x60'}
          - {series: 'begat_connections_ended_total{instance="a",service="time",outcome="crashed"}', values: '3x60'}
        alert_rule_test:
          - {eval_time: 30m, alertname: BegatNotServing}
          - {eval_time: 30m, alertname: BegatFull}
          - {eval_time: 30m, alertname: BegatReloadRefused}
          - {eval_time: 30m, alertname: BegatCrashes}

      - name: begatd is gone
        interval: 1m
        input_series:
          - {series: 'begat_up{instance="a"}', values: '1 1 0x30'}
        alert_rule_test:
          - {eval_time: 3m, alertname: BegatNotServing}
          - eval_time: 5m
            alertname: BegatNotServing
            exp_alerts:
              - exp_labels: {severity: critical, instance: a}
                exp_annotations:
                  summary: 'begatd does not serve on a'
                  description: 'begat status shows the state of the services; the log of begatd says why.'

      - name: a listener dies at each start, and waits in between
        interval: 1m
        input_series:
          - {series: 'begat_service_state{instance="a",service="time",state="failed"}', values: '0 1 0 1 0 1 0 1'}
          - {series: 'begat_service_state{instance="a",service="time",state="starting"}', values: '0 0 1 0 1 0 1 0'}
        alert_rule_test:
          - eval_time: 5m
            alertname: BegatNotServing
            exp_alerts:
              - exp_labels: {severity: critical, instance: a, service: time}
                exp_annotations: &time
                  summary: 'begat: time does not serve on a'
                  description: 'begat status shows the state of the services; the log of begatd says why.'

      - name: a listener dies soon after each start
        interval: 1m
        input_series:
          - {series: 'begat_service_state{instance="a",service="time",state="serving"}', values: '1x60'}
          - {series: 'begat_listener_starts_total{instance="a",service="time"}', values: '1+1x60'}
        alert_rule_test:
          - eval_time: 20m
            alertname: BegatNotServing
            exp_alerts:
              - {exp_labels: {severity: critical, instance: a, service: time}, exp_annotations: *time}

      - name: a service is full
        interval: 1m
        input_series:
          - {series: 'begat_connections_open{instance="a",service="time"}', values: '250x60'}
          - {series: 'begat_connections_limit{instance="a",service="time"}', values: '256x60'}
        alert_rule_test:
          - {eval_time: 4m, alertname: BegatFull}
          - eval_time: 6m
            alertname: BegatFull
            exp_alerts:
              - exp_labels: {severity: warning, instance: a, service: time}
                exp_annotations:
                  summary: 'begat: time has 250 connections open on a, its limit'
                  description: 'begat ps shows whose they are. Raise max-connections, or lower max-connections-per-source.'

      - name: a reload was refused
        interval: 1m
        input_series:
          - {series: 'begat_reload_last_successful{instance="a"}', values: '1 0x60'}
        alert_rule_test:
          - {eval_time: 5m, alertname: BegatReloadRefused}
          - eval_time: 7m
            alertname: BegatReloadRefused
            exp_alerts:
              - exp_labels: {severity: warning, instance: a}
                exp_annotations:
                  summary: 'begatd has refused the last reload on a'
                  description: 'begat check says what is wrong with the configuration.'

      - name: a process crashes
        interval: 1m
        input_series:
          - {series: 'begat_connections_ended_total{instance="a",service="time",outcome="crashed"}', values: '0 0 1x60'}
          - {series: 'begat_connections_ended_total{instance="a",service="time",outcome="complete"}', values: '0+9x60'}
        alert_rule_test:
          - eval_time: 5m
            alertname: BegatCrashes
            exp_alerts:
              - exp_labels: {severity: warning, instance: a, service: time, outcome: crashed}
                exp_annotations:
                  summary: 'begat: processes of time crash on a'
                  description: 'The log of begatd has a line for each with the client and the signal.'
          - {eval_time: 30m, alertname: BegatCrashes}
    """#
}
