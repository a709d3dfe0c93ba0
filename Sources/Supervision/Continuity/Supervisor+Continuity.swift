import ControlProtocol
@_spi(Begat) import UnixCore

/// State and descriptors that outlive this begatd.
extension Supervisor {
  /// Lets the service manager keep what has changed since the last time.
  func keepWhatHasChanged() {
    guard let store, !store.isFrozen, hasChangedServices || allServices.contains(where: \.hasChanged) else { return }
    keepDescriptors()
  }

  /// Lets the service manager keep the sockets and the listeners of all services.
  ///
  /// - Parameter departing: services that are given up, and are in no list at present.
  func keepDescriptors(departing: [ManagedService] = []) {
    guard let store else { return }
    hasChangedServices = false
    var entries = services.flatMap(\.sockets).filter { $0.passedName == nil }.map(\.storeEntry)
    entries.append(starter.bans.storeEntry)
    let kept = allServices + departing
    for service in kept {
      service.hasChanged = false
      entries.append(service.storeEntryOfBook)
    }
    for service in kept { entries += service.generations.flatMap { $0.storeEntries(of: service.name) } }
    store.keep(entries, savedState(departing: departing))
  }

  /// Leaves the store to the next begatd, and the sockets that it has: no client is refused there, nor are their files
  /// removed.
  func leaveStoredSockets() {
    guard let store else { return }
    keepDescriptors()
    for socket in services.flatMap(\.sockets) where store.has(socket) { socket.isLeftToNext = true }
    store.freeze()
  }

  /// The document for the next one.
  func savedState(departing: [ManagedService] = []) -> SavedState {
    var state = SavedState()
    state.bans = starter.bans.number
    state.sockets = services.flatMap { service in
      service.sockets.filter { $0.passedName == nil }.map { $0.saved(of: service.name) }
    }
    state.services =
      (allServices + departing).map(\.saved)
      + pastCounters.all.map { SavedState.Service(name: $0.name, totals: $0.counts) }
    state.serviceNumbers = serviceNumbers.map { SavedState.ServiceNumber(service: $0, number: $1) }
      .sorted { $0.number < $1.number }
    return state
  }
}

extension ManagedService {
  fileprivate var saved: SavedState.Service {
    var saved = SavedState.Service(name: name)
    saved.lastGeneration = lastGenerationNumber
    saved.isDrained = drain.isClosed
    saved.startTime = startTime
    saved.closingTime = drain.announcementEnd
    saved.logAddress = configuration.settings.logAddress
    saved.waits = configuration.waits
    saved.totals = totals
    saved.generations = generations.map(\.saved)
    return saved
  }
}

extension ManagedService {
  fileprivate var storeEntryOfBook: DescriptorStore.Entry {
    DescriptorStore.Entry(
      name: KeptName.book(service: name).text, identity: FileIdentity(of: admissionBook), number: admissionBook.number,
      owner: self, isChannel: false)
  }
}

extension SharedBans {
  fileprivate var storeEntry: DescriptorStore.Entry {
    DescriptorStore.Entry(
      name: KeptName.bans(number).text, identity: FileIdentity(of: table.object), number: table.object.number,
      owner: self, isChannel: false)
  }
}

extension Generation {
  /// The second channel and the scoreboard: one is of no use without the other.
  fileprivate func storeEntries(of service: String) -> [DescriptorStore.Entry] {
    guard let keptChannel else { return [] }
    let channel = KeptName.channel(service: service, generation: number)
    let board = KeptName.board(service: service, generation: number)
    return [
      DescriptorStore.Entry(
        name: channel.text, identity: FileIdentity(of: keptChannel.descriptor), number: keptChannel.descriptor.number,
        owner: keptChannel, isChannel: true),
      DescriptorStore.Entry(
        name: board.text, identity: FileIdentity(of: boardFile.descriptor), number: boardFile.descriptor.number,
        owner: boardFile, isChannel: false),
    ]
  }
}

extension HeldSocket {
  /// Its name while it outlives begatd.
  var keptName: KeptName { isDatagram ? .datagram(address, device: device) : .stream(address, device: device) }

  fileprivate var storeEntry: DescriptorStore.Entry {
    DescriptorStore.Entry(
      name: keptName.text, identity: FileIdentity(of: descriptor), number: descriptor.number, owner: self,
      isChannel: false)
  }

  fileprivate func saved(of service: String) -> SavedState.Socket {
    var saved = SavedState.Socket(name: keptName.text, service: service)
    if case .address(let wanted, _) = wanted, wanted != address { saved.wanted = wanted }
    saved.file = file.map { SavedState.File(device: UInt64($0.device), inode: UInt64($0.inode)) }
    return saved
  }
}
