extension Metric {
  /// The metrics of services, their sockets and their listeners.
  static let services: [Metric] = [
    .service(
      .gauge, "begat_service_state", "1 for the state that the service is in, 0 for the others."
    ) { service, samples in
      samples.add(states: ServiceStatus.State.self, present: service.state, service: service.name)
    },
    .service(
      .gauge, "begat_service_confined", "1 if the service has a sandbox, 0 if its configuration turns it off."
    ) { service, samples in
      if let isConfined = service.isConfined { samples.add(isConfined, ["service": service.name]) }
    },
    .service(
      .gauge, "begat_listening_sockets", "Addresses at which the service is offered, by transport."
    ) { service, samples in
      for transport in Transport.allCases {
        let count = service.addresses.count { Transport($0) == transport }
        samples.add(count, ["service": service.name, "transport": transport.rawValue])
      }
    },
    .service(
      .gauge, "begat_listeners", "Processes that listen for the service or serve its last connections, by role."
    ) { service, samples in
      for role in ListenerStatus.Role.allCases {
        let count = service.listeners.count { $0.role == role }
        samples.add(count, ["service": service.name, "role": role.rawValue])
      }
    },
    .service(
      .counter, "begat_listener_starts_total",
      "Listeners that begatd has started for the service: at first, by reloads, and after one died."
    ) { service, samples in
      // The numbers count up from 1.  A service without a listener has no sample: 0 would look like a restart.
      guard !service.isStandalone, let last = service.listeners.map(\.generation).max() else { return }
      samples.add(last, ["service": service.name])
    },
  ]

  /// The kinds of listening sockets.
  private enum Transport: String, CaseIterable {
    case tcp, udp, unix
    case unixDatagram = "unix-datagram"

    init(_ address: ServiceStatus.Address) {
      let isUnix = address.text.hasPrefix("/") || address.text.hasPrefix("@")
      self = address.isDatagram ? (isUnix ? .unixDatagram : .udp) : (isUnix ? .unix : .tcp)
    }
  }
}
