@_spi(Begat) import UnixCore

/// The pollers of a listener, and the signals that they announce.
struct ListenerPollers: ~Copyable {
  /// Announces clients, stop signals and the channel.
  let urgent: Poller
  /// Announces all that and the ends of connections.
  let quiet: Poller
  let stopSignals: SignalQueue
  let exits: SignalQueue

  init() throws(SystemCallError) {
    let urgent = try Poller()
    let quiet = try Poller()
    let stopSignals = try SignalQueue(SignalSet(.terminate, .interrupt, .quit, .hangUp))
    // The kernel announces the end of an executed program by SIGCHLD, whatever its process was made with.
    let exits = try SignalQueue(SignalSet(Listener.exitSignal, .child))
    try urgent.add(stopSignals.descriptor.number, .readable, token: Listener.Token.stopSignals)
    try quiet.add(exits.descriptor.number, .readable, token: Listener.Token.exits)
    try quiet.add(urgent.descriptor.number, .readable, token: Listener.Token.work)
    self.urgent = urgent
    self.quiet = quiet
    self.stopSignals = stopSignals
    self.exits = exits
  }

  /// Watches everything but the sockets of the service.
  ///
  /// - Parameter channel: the channel to begatd; nil if there is none.
  /// - Parameter errors: the shared pipe of standard error.
  /// - Parameter pipes: the poller of pipes of connections; what they have to say may wait while clients come.
  func watch(channel: CInt?, errors: CInt, pipes: CInt) throws(SystemCallError) {
    try quiet.add(pipes, .readable, token: Listener.Token.pipes)
    if let channel { try urgent.add(channel, .readable, token: Listener.Token.channel) }
    try urgent.add(errors, .readable, token: Listener.Token.programErrors)
  }
}
