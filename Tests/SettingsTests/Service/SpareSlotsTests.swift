import Testing

@testable import Settings

/// How many spare processes a service may have.
@Suite struct SpareSlotsTests {
  private func slots(
    _ builtIn: BuiltIn, _ sockets: Set<ServiceMode.SocketKind> = [.internetStream],
    isStdio: Bool = false, said: Set<String>? = nil, _ change: (inout ServiceSettings) -> Void = { _ in }
  ) -> Int {
    var settings = ServiceSettings()
    settings.serve = builtIn
    change(&settings)
    let mode = ServiceMode(offer: .builtIn(builtIn), sockets: sockets, isStdio: isStdio)
    let effective = settings.effective(in: mode, said: said)
    #expect(effective.slotCount == effective.admission.maxConnections + effective.spareSlots)
    return effective.spareSlots
  }

  @Test("are those of the settings, and no more than connections")
  func followSettings() {
    let standard = ServiceSettings.standard.spareProcesses
    #expect(standard > 0)
    for said in [nil, []] as [Set<String>?] {
      #expect(slots(.time, said: said) == standard)
      #expect(slots(.time, [.unixStream, .internetDatagram], said: said) == standard)
    }
    #expect(slots(.time) { $0.spareProcesses = 0 } == 0)
    #expect(slots(.time) { $0.spareProcesses = 7 } == 7)
    #expect(
      slots(.time) {
        $0.spareProcesses = 7
        $0.admission.maxConnections = 2
      } == 2)
  }

  @Test("are none where the key has no effect", arguments: [nil, []] as [Set<String>?])
  func areNoneWithoutEffect(said: Set<String>?) {
    #expect(slots(.time, [.internetDatagram], said: said) == 0)
    #expect(slots(.time, [], isStdio: true, said: said) == 0)
    #expect(slots(.status, said: said) == 0 && slots(.haproxyAgent, said: said) == 0)
    #expect(slots(.time, said: said) { $0.proxyFrom = ["192.0.2.1"] } == 0)
    let command = AddedCommand(name: "uptime", words: ["/usr/bin/uptime"])
    #expect(slots(.command, said: said) { $0.commands = [command] } == 0)
    for handover in [Handover.connections, .relayedConnections, .sockets] {
      var settings = ServiceSettings()
      settings.exec = ["/bin/cat"]
      let effective = settings.effective(
        in: ServiceMode(offer: .program(handover), sockets: [.internetStream]), said: said)
      #expect(effective.spareSlots == 0 && effective.slotCount == effective.admission.maxConnections)
    }
  }
}
