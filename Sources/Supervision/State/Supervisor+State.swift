import Admission
import ControlProtocol
import Glibc
import Logging
import Monitoring
import Settings
@_spi(Begat) import UnixCore

/// The state of begatd for other processes, which ask it nothing: it writes a page when something has changed, and passes
/// scoreboards on.
extension Supervisor {
  /// The state now.
  ///
  /// - Parameter maxDenials: more of them are counted only.
  func daemonState(now: Int64, maxDenials: Int = .max) -> DaemonState {
    var state = DaemonState()
    state.version = BegatVersion.text
    state.process = getpid()
    state.state = reportedState
    state.startTime = controlFacts.startTime
    state.configuration = controlFacts.configuration
    state.reloadTime = controlFacts.reloadTime
    state.reloads = controlFacts.reloads
    state.lastReloadTime = controlFacts.lastReloadTime
    state.lostLogMessages = recordLog.lostMessages
    state.sandboxGaps = controlFacts.sandboxGaps
    state.services =
      services.map { $0.state(now: now, isLeaving: false) } + leaving.map { $0.state(now: now, isLeaving: true) }
    starter.bans.table.removeExpired()
    state.denials = denials(atMost: maxDenials)
    state.omittedDenials = starter.bans.table.count - state.denials.count
    return state
  }

  /// The first ones, in the order of their networks.  Thousands of them are not sorted anew for each look at the state.
  private func denials(atMost limit: Int) -> [DenialState] {
    guard limit > 0, starter.bans.table.count > 0 else { return [] }
    let changes = starter.bans.table.changes
    if let known = sharing.denials, known.changes == changes, known.limit == limit { return known.list }
    let list = starter.bans.table.all().prefix(limit).map { ban in
      DenialState(
        network: ban.network.description, service: nameOfService(ban.service),
        endTime: ban.expiry == .never ? nil : ban.expiry.instant)
    }
    if sharing.page != nil { sharing.denials = (changes, limit, list) }
    return list
  }

  private var reportedState: DaemonStatus.State {
    if stopping.isDraining { return .stopping }
    if stopping.isOrdered { return .announcing }
    if !isStarted { return .starting }
    return reloads.queue.running != nil && !reloads.isDryRun ? .reloading : .serving
  }

  // MARK: Listeners that show it

  /// A listener is ready: it has mapped its scoreboard, which can be given away from now on.
  func share(_ generation: Generation, of service: ManagedService) {
    // A kernel that cannot do this makes no state page either, which is an error of the listener that is to show it.
    generation.isBoardSealed = (try? MemoryFile.makeReadOnly(generation.boardFile.descriptor)) != nil
    if generation.showsState {
      handEverything(to: generation, of: service)
    } else if generation.isBoardSealed {
      for listener in stateListeners { pass(generation, to: listener) }
    }
  }

  /// Those that accept clients, or will: those that drain have no new connection that would read anything.
  private var stateListeners: [Generation] {
    guard sharing.page != nil else { return [] }
    return allServices.flatMap(\.generations).filter { $0.showsState && ($0.state == .ready || $0.state == .accepting) }
  }

  private func handEverything(to listener: Generation, of service: ManagedService) {
    if sharing.page == nil, let failure = makePage(capacity: StateSharing.firstCapacity) {
      // It is reaped and replaced like one that died.
      logger.error("\(failure.withAdvice); listener \(listener.process) ended", metadata: service.logMetadata)
      return kill(listener, of: service)
    }
    writeState(now: SystemClock.monotonic())
    if let page = sharing.page { try? tell(listener, .state, passing: page.file) }
    for generation in allServices.flatMap(\.generations) where generation.isBoardSealed {
      pass(generation, to: listener)
      // The listener of another such service has not seen this one yet.
      if generation === listener { for other in stateListeners where other !== listener { pass(listener, to: other) } }
    }
  }

  /// A listener that can never be told has ended, or is about to.
  private func pass(_ generation: Generation, to listener: Generation) {
    try? tell(listener, .board(generation.boardNumber), passing: generation.boardFile)
  }

  // MARK: The page

  /// Shows what has changed, at the end of each turn of the loop.
  func shareState() {
    guard sharing.page != nil else { return }
    let now = SystemClock.monotonic()
    guard sharing.takesLook(at: now) else { return }
    guard allServices.contains(where: { $0.generations.contains(where: \.showsState) }) else { return sharing.end() }
    writeState(now: now)
  }

  /// Shows what has changed now; nothing while no listener shows it.
  func writeState(now: Int64) {
    guard let page = sharing.page else { return }
    let state = daemonState(now: now, maxDenials: StateSharing.maxDenials)
    if state != sharing.shown {
      let bytes = state.encoded
      if !page.write(bytes) {
        if let failure = makePage(capacity: 2 * bytes.count) {
          if sharing.retry.failed("\(failure)").isNews {
            logger.error("\(failure.withAdvice); status and haproxy-agent services show an old state until it works")
          }
          return
        }
        _ = sharing.page?.write(bytes)
        if let file = sharing.page?.file {
          for listener in stateListeners { try? tell(listener, .state, passing: file) }
        }
      }
      sharing.shown = state
    }
    // Not before: their counts are in the page now.
    for board in sharing.takeEndedBoards() {
      for listener in stateListeners { try? tell(listener, .dropBoard(board)) }
    }
  }

  /// - Returns: why it cannot be made; the page before stays then.
  private func makePage(capacity: Int) -> SystemCallError? {
    do throws(SystemCallError) {
      sharing.page = try StatePage(capacity: capacity)
      _ = sharing.retry.succeeded()
      return nil
    } catch { return error }
  }
}
