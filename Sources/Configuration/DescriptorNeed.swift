import Settings
@_spi(Begat) import UnixCore

/// The descriptors that begatd needs for a configuration.
extension Configuration {
  /// An estimate that is rather too high: the sockets of each service, its admission book, and the channels and
  /// scoreboards of its listener and of the one that takes its place, with the sockets at which they ask for names.
  public var descriptorNeed: UInt64 {
    let own: UInt64 = 48
    let controlPeers: UInt64 = control == nil ? 0 : 130
    return services.filter(\.settings.enabled).reduce(own + controlPeers) { need, service in
      need + UInt64(service.streams.count + service.datagrams.count) + (service.settings.looksUpNames ? 7 : 5)
    }
  }

  /// The warning that begatd may have fewer descriptors than it needs; nil if it may have enough.
  ///
  /// - Parameter limit: its hard limit of RLIMIT_NOFILE, up to which it raises its own.
  public func descriptorWarning(limit: UInt64) -> String? {
    guard descriptorNeed > limit else { return nil }
    let count = services.count { $0.settings.enabled }
    return
      "\(count) \(count == 1 ? "service needs" : "services need") about \(descriptorNeed) descriptors, and begatd may "
      + "have \(limit): raise LimitNOFILE= in its unit, or the hard limit of ulimit -n"
  }
}
