import Monitoring
import Testing

/// Reports as metrics.
@Suite(.timeLimit(.minutes(30))) struct MetricsTests {
  @Test func areTheWholeReport() {
    let text = metrics(SampleReport.full).filter { !$0.hasPrefix("#") }
    #expect(text.last == "", "the text ends with a line's end")
    #expect(
      text.dropLast() == [
        "begat_up 1", #"begat_build_info{version="1.2.3"} 1"#, "begat_uptime_seconds 3600.25",
        #"begat_state{state="starting"} 0"#, #"begat_state{state="serving"} 1"#, #"begat_state{state="reloading"} 0"#,
        #"begat_state{state="announcing"} 0"#, #"begat_state{state="stopping"} 0"#,
        #"begat_reloads_total{outcome="succeeded"} 4"#, #"begat_reloads_total{outcome="refused"} 1"#,
        "begat_reload_last_successful 0", "begat_reload_last_age_seconds 1.5", "begat_configuration_age_seconds 50",
        "begat_log_messages_lost_total 6", "begat_denied_networks 1",
        #"begat_service_state{service="time",state="starting"} 0"#,
        #"begat_service_state{service="time",state="serving"} 1"#,
        #"begat_service_state{service="time",state="announcing"} 0"#,
        #"begat_service_state{service="time",state="draining"} 0"#,
        #"begat_service_state{service="time",state="drained"} 0"#,
        #"begat_service_state{service="time",state="failed"} 0"#,
        #"begat_service_confined{service="time"} 1"#, #"begat_listening_sockets{service="time",transport="tcp"} 2"#,
        #"begat_listening_sockets{service="time",transport="udp"} 1"#,
        #"begat_listening_sockets{service="time",transport="unix"} 1"#,
        #"begat_listening_sockets{service="time",transport="unix-datagram"} 1"#,
        #"begat_listeners{service="time",role="starting"} 0"#, #"begat_listeners{service="time",role="current"} 1"#,
        #"begat_listeners{service="time",role="retiring"} 1"#, #"begat_listener_starts_total{service="time"} 2"#,
        #"begat_connections_open{service="time"} 3"#, #"begat_connections_limit{service="time"} 256"#,
        #"begat_spare_processes{service="time"} 2"#, #"begat_connections_accepted_total{service="time"} 1000"#,
        #"begat_connections_refused_total{service="time",reason="allow-and-deny"} 5"#,
        #"begat_connections_refused_total{service="time",reason="rate"} 0"#,
        #"begat_connections_ended_total{service="time",outcome="complete"} 990"#,
        #"begat_connections_ended_total{service="time",outcome="crashed"} 7"#,
        #"begat_connection_duration_seconds_bucket{service="time",le="0.001"} 900"#,
        #"begat_connection_duration_seconds_bucket{service="time",le="0.01"} 950"#,
        #"begat_connection_duration_seconds_bucket{service="time",le="0.1"} 980"#,
        #"begat_connection_duration_seconds_bucket{service="time",le="1"} 990"#,
        #"begat_connection_duration_seconds_bucket{service="time",le="10"} 990"#,
        #"begat_connection_duration_seconds_bucket{service="time",le="60"} 994"#,
        #"begat_connection_duration_seconds_bucket{service="time",le="600"} 996"#,
        #"begat_connection_duration_seconds_bucket{service="time",le="3600"} 996"#,
        #"begat_connection_duration_seconds_bucket{service="time",le="+Inf"} 997"#,
        #"begat_connection_duration_seconds_sum{service="time"} 12.345"#,
        #"begat_connection_duration_seconds_count{service="time"} 997"#,
        #"begat_received_bytes_total{service="time"} 11"#, #"begat_sent_bytes_total{service="time"} 4000"#,
        #"begat_connection_records_dropped_total{service="time"} 2"#,
        #"begat_datagrams_answered_total{service="time"} 9"#,
        #"begat_datagrams_refused_total{service="time",reason="allow-and-deny"} 0"#,
        #"begat_datagrams_refused_total{service="time",reason="rate"} 8"#,
        #"begat_datagrams_ignored_total{service="time"} 7"#,
      ])
  }

  @Test func beginWithHelpAndType() {
    let text = metrics(SampleReport.full)
    #expect(
      text.prefix(2) == ["# HELP begat_up Whether begatd answers: 1 if it does, 0 if not.", "# TYPE begat_up gauge"])
    // All samples of a metric follow its head.
    var current = ""
    for line in text.dropLast() {
      let words = line.split(separator: " ")
      if line.hasPrefix("# HELP ") {
        current = String(words[2])
        #expect(words.count > 3)
      } else if line.hasPrefix("# TYPE ") {
        #expect(words[2] == current)
      } else {
        #expect(line.hasPrefix(current), "\(line) is below \(current)")
      }
    }
  }

  @Test func sayWhenNoBegatdAnswers() {
    let text = metrics(StatusReport(daemon: nil, services: [])).filter { !$0.hasPrefix("#") }
    #expect(text == ["begat_up 0", ""])
  }

  @Test func beforeAnyReloadTheStartCounts() {
    var report = SampleReport.full
    report.daemon?.reloads = ReloadCounts()
    report.daemon?.reloadAge = nil
    #expect(samples("begat_reload_last_successful", report) == ["begat_reload_last_successful 1"])
    #expect(samples("begat_reload_last_age_seconds", report) == ["begat_reload_last_age_seconds 3600.25"])
    #expect(samples("begat_configuration_age_seconds", report) == ["begat_configuration_age_seconds 3600.25"])
  }

  /// A series appears once only, and one that does not exist is absent: 0 would be a limit.
  @Test func leaveOutWhatAServiceDoesNotHave() {
    var report = SampleReport.full
    report.services[0].limit = nil
    report.services[0].datagrams = nil
    report.services[0].listeners = []
    for metric in ["connections_limit", "datagrams_answered_total", "datagrams_ignored_total", "listener_starts_total"]
    {
      #expect(samples("begat_\(metric)", report) == [])
    }
  }

  @Test(arguments: [
    ("quoted \"name\"", #"quoted \"name\""#), (#"back\slash"#, #"back\\slash"#), ("two\nlines", #"two\nlines"#),
    ("\u{1b}[2J", "\u{FFFD}[2J"), ("a\u{202E}b\u{9b}", "a\u{FFFD}b\u{FFFD}"), ("ä", "ä"),
  ])
  func escapeLabels(name: String, label: String) {
    var report = SampleReport.full
    report.services[0].name = name
    #expect(samples("begat_connections_open", report) == ["begat_connections_open{service=\"\(label)\"} 3"])
  }

  @Test(arguments: [
    (Duration.zero, "0"), (.milliseconds(1), "0.001"), (.nanoseconds(10), "0.00000001"), (.seconds(-1), "0"),
    (.seconds(315_360_000), "315360000"), (.milliseconds(10_250), "10.25"),
  ])
  func secondsAreExact(age: Duration, text: String) {
    var report = SampleReport.full
    report.daemon?.age = age
    #expect(samples("begat_uptime_seconds", report) == ["begat_uptime_seconds \(text)"])
  }

  /// Two listeners without begatd may offer services of one name.
  @Test func servicesOfOneNameAreOne() {
    var alone = SampleReport.service()
    alone.isStandalone = true
    alone.listeners = [ListenerStatus(process: 99, generation: 99, role: .current, age: .seconds(1), active: 3)]
    var report = SampleReport.full
    report.services += [alone, alone]
    let text = metrics(report).dropLast().filter { !$0.hasPrefix("#") }
    #expect(Set(text.map { $0.split(separator: " ")[0] }).count == text.count)
    #expect(samples("begat_connections_accepted_total", report).first?.hasSuffix(" 3000") == true)
    #expect(samples("begat_connection_duration_seconds_count", report).first?.hasSuffix(" 2991") == true)
    #expect(samples("begat_connections_refused_total", report).first?.hasSuffix(" 15") == true)
    #expect(samples("begat_datagrams_answered_total", report).first?.hasSuffix(" 27") == true)
    #expect(samples("begat_listeners", report).contains(#"begat_listeners{service="time",role="current"} 3"#))
    // Its number is a process, no count of starts.
    #expect(samples("begat_listener_starts_total", report) == [#"begat_listener_starts_total{service="time"} 2"#])
  }
}
