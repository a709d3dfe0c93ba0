extension Metric {
  /// The metrics of connections.
  static let connections: [Metric] = [
    .service(.gauge, "begat_connections_open", "Connections that are open now.") { service, samples in
      samples.add(service.active, ["service": service.name])
    },
    .service(
      .gauge, "begat_connections_limit",
      "Connections that may be open at the same time; absent if the service has no such limit."
    ) { service, samples in
      if let limit = service.limit { samples.add(limit, ["service": service.name]) }
    },
    .service(
      .gauge, "begat_spare_processes", "Processes that were forked before their clients come, and wait for them."
    ) { service, samples in
      samples.add(service.spares, ["service": service.name])
    },
    .service(
      .counter, "begat_connections_accepted_total", "Connections that were accepted and admitted."
    ) { service, samples in
      samples.add(service.accepted, ["service": service.name])
    },
    .service(
      .counter, "begat_connections_refused_total",
      "Connections that were accepted and refused, by the key or the command that is the reason."
    ) { service, samples in
      samples.add(service.refused, service: service.name)
    },
    .service(
      .counter, "begat_connections_ended_total", "Admitted connections that have ended, by how they ended."
    ) { service, samples in
      for outcome in service.outcomes {
        samples.add(outcome.count, ["service": service.name, "outcome": outcome.outcome])
      }
    },
    .service(
      .histogram, "begat_connection_duration_seconds", "How long connections that have ended were open."
    ) { service, samples in
      samples.add(service.durations, service: service.name)
    },
    .service(
      .counter, "begat_received_bytes_total",
      "Bytes that came from clients, of connections that have ended; programs without relay are not counted."
    ) { service, samples in
      samples.add(service.bytesReceived, ["service": service.name])
    },
    .service(
      .counter, "begat_sent_bytes_total",
      "Bytes that went to clients, of connections that have ended; programs without relay are not counted."
    ) { service, samples in
      samples.add(service.bytesSent, ["service": service.name])
    },
    .service(
      .counter, "begat_connection_records_dropped_total",
      "Ended connections that are missing in the log, because it did not keep up."
    ) { service, samples in
      samples.add(service.droppedRecords, ["service": service.name])
    },
  ]

  /// The metrics of datagrams, of services that answer any.
  static let datagrams: [Metric] = [
    .service(.counter, "begat_datagrams_answered_total", "Datagrams that were answered.") { service, samples in
      if let datagrams = service.datagrams { samples.add(datagrams.answered, ["service": service.name]) }
    },
    .service(
      .counter, "begat_datagrams_refused_total",
      "Datagrams that were refused, by the key or the command that is the reason."
    ) { service, samples in
      if let datagrams = service.datagrams { samples.add(datagrams.refused, service: service.name) }
    },
    .service(
      .counter, "begat_datagrams_ignored_total", "Datagrams from ports and addresses that are never answered."
    ) { service, samples in
      if let datagrams = service.datagrams { samples.add(datagrams.ignored, ["service": service.name]) }
    },
  ]
}

extension SampleWriter {
  fileprivate mutating func add(_ refused: [ServiceStatus.Refused], service: String) {
    for refused in refused { add(refused.count, ["service": service, "reason": refused.reason]) }
  }
}
