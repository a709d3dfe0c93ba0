extension StatusReport {
  /// Makes one service of those that have the same name: a series may appear once only.
  ///
  /// A listener without begatd may have any name, and a service that a reload has given up may drain beside one that a
  /// later reload has brought.  State and limit are those of begatd's own, else those of the first one.
  mutating func mergeServices() {
    var places: [String: Int] = [:]
    var merged: [ServiceStatus] = []
    for service in services.filter({ !$0.isStandalone }) + services.filter(\.isStandalone) {
      if let place = places[service.name] {
        merged[place].add(service)
      } else {
        places[service.name] = merged.count
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
      // The number of a listener without begatd is its process, and those of a former service count anew.
      listener.generation = 0
      listeners.append(listener)
    }
    active &+= other.active
    spares &+= other.spares
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
