extension StatusReport {
  /// Makes one service of those that have the same name, as a listener without begatd may: a series may appear once only.
  ///
  /// State and limit are those of begatd's own, else those of the first one.
  mutating func mergeServices() {
    // Names of begatd's own services differ.
    guard services.contains(where: \.isStandalone) else { return }
    var merged = services.filter { !$0.isStandalone }
    for service in services where service.isStandalone {
      if let index = merged.firstIndex(where: { $0.name == service.name }) {
        merged[index].add(service)
      } else {
        merged.append(service)
      }
    }
    services = merged
  }
}

extension ServiceStatus {
  fileprivate mutating func add(_ other: ServiceStatus) {
    addresses += other.addresses
    for var listener in other.listeners {
      // The number of a listener without begatd is its process.
      listener.generation = 0
      listeners.append(listener)
    }
    active &+= other.active
    accepted &+= other.accepted
    ended &+= other.ended
    droppedRecords &+= other.droppedRecords
    bytesReceived &+= other.bytesReceived
    bytesSent &+= other.bytesSent
    durations.sum += other.durations.sum
    for (index, count) in other.durations.counts.enumerated() where index < durations.counts.count {
      durations.counts[index] &+= count
    }
    for (index, other) in other.outcomes.enumerated() where index < outcomes.count {
      outcomes[index].count &+= other.count
    }
    Refused.add(other.refused, to: &refused)
    guard let more = other.datagrams else { return }
    guard var sum = datagrams else { return datagrams = more }
    sum.answered &+= more.answered
    sum.ignored &+= more.ignored
    Refused.add(more.refused, to: &sum.refused)
    datagrams = sum
  }
}

extension ServiceStatus.Refused {
  fileprivate static func add(_ counts: [ServiceStatus.Refused], to sums: inout [ServiceStatus.Refused]) {
    for (index, other) in counts.enumerated() where index < sums.count { sums[index].count &+= other.count }
  }
}
