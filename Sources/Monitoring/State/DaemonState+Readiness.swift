extension DaemonState {
  /// Why this begatd should get no new clients, a line for each reason; none if all of its services accept clients and go
  /// on doing so.
  public var obstacles: [String] {
    var lines: [String] = []
    switch state {
    case .serving, .reloading: break
    case .starting: lines.append("begatd is starting")
    case .announcing: lines.append("begatd has announced its stop")
    case .stopping: lines.append("begatd is stopping")
    }
    // One that the configuration has given up is missed by no client.
    for service in services where !service.isLeaving {
      switch service.state {
      case .serving: continue
      case .starting: lines.append("service \(service.name) is starting")
      case .announcing: lines.append("service \(service.name) has announced its drain")
      case .draining, .drained: lines.append("service \(service.name) is \(service.state.rawValue)")
      case .failed: lines.append("service \(service.name) has failed")
      }
    }
    return lines
  }
}
