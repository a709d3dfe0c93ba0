import Glibc
@_spi(Begat) import NameService
@_spi(Begat) import UnixCore

/// `begat load`: opens connections, at the greatest rate that a server allows or at a given one, and measures.
public struct LoadClient: Sendable {
  public var settings: LoadSettings

  public init(settings: LoadSettings) { self.settings = settings }

  /// Runs and prints its report; what keeps it from running is said on standard error.
  ///
  /// - Returns: whether it ran and no connection failed.
  public func run() -> Bool {
    do throws(Complaint) {
      let report = try measure()
      do throws(SystemCallError) {
        try StandardStream.output.write((settings.json ? report.json : report.table) + "\n")
      } catch {
        throw Complaint("\(error)")
      }
      return !report.hasFailures
    } catch {
      for line in error.lines { StandardStream.complain("begat load: \(line)") }
      return false
    }
  }

  /// What keeps a run from starting.
  private struct Complaint: Error {
    let lines: [String]
    init(_ lines: String...) { self.lines = lines }
    init(_ failure: ConnectionTarget.ConnectError) { lines = failure.reasons }
  }

  /// The time that a run took, and that of the processor.
  private struct Cost {
    let nanoseconds: Int64
    let processor: Int64
  }

  private func measure() throws(Complaint) -> LoadReport {
    try raiseLimit()
    let address = try findAddress()
    var sources = try sources(for: address)
    var clients = ClaimedClients(settings.proxy, count: max(1, settings.sources), to: address)
    let claimed = clients.count
    let held = HeldConnections(
      settings.held, to: address, from: &sources, as: &clients, within: settings.patience)
    let tally: LoadTally
    let cost: Cost
    do throws(SystemCallError) {
      let generator = try LoadGenerator(
        settings: settings, address: address, sources: sources, clients: clients, showsProgress: true)
      cost = try run(generator)
      tally = generator.tally
    } catch { throw Complaint("\(error)") }
    return LoadReport(
      address: address, usesDatagrams: settings.usesDatagrams, concurrency: settings.slotCount,
      offeredRate: settings.rate, sources: sources.count,
      proxy: settings.proxy.map { LoadReport.Proxy(version: $0, clients: claimed) },
      nanoseconds: cost.nanoseconds, processor: cost.processor,
      held: LoadReport.Held(wanted: settings.held, open: held.countOpen(), failure: held.failure),
      tally: tally)
  }

  /// A request to end the command ends the run, and what was measured is reported; a second one ends the command.
  private func run(_ generator: LoadGenerator) throws(SystemCallError) -> Cost {
    let requests = SignalSet.terminationRequests.subtracting(SignalSet(.hangUp, .quit))
    let queue = try SignalQueue(requests)
    defer {
      _ = queue.take()
      requests.unblock()
    }
    // Without the preparation: a short run would seem slower than a long one.
    let start = (time: SystemClock.monotonic(), processor: processorTime())
    try generator.run(interruptedBy: queue.descriptor.number)
    return Cost(nanoseconds: SystemClock.monotonic() - start.time, processor: processorTime() - start.processor)
  }

  private func raiseLimit() throws(Complaint) {
    let wanted = UInt64(settings.slotCount + settings.held + 32)
    let limit = ResourceLimit.openFiles.raise(to: wanted)
    if limit < wanted { throw Complaint("\(wanted) open files are needed and \(limit) permitted (RLIMIT_NOFILE)") }
  }

  /// Where there is a choice, the address that takes a connection; no datagram would tell which one that is.
  private func findAddress() throws(Complaint) -> SocketAddress {
    do throws(Hosts.LookupError) {
      let addresses = try settings.target.addresses()
      if addresses.count == 1 || settings.usesDatagrams { return addresses[0] }
    } catch { throw Complaint("\(error)") }
    do throws(ConnectionTarget.ConnectError) {
      return try settings.target.connect(until: Deadline(after: settings.patience)).address
    } catch { throw Complaint(error) }
  }

  private func sources(for address: SocketAddress) throws(Complaint) -> SourceAddresses {
    guard settings.proxy == nil else { return SourceAddresses(count: 0) }
    guard settings.sources == 0 || SourceAddresses.canReach(address) else {
      throw Complaint("--sources: \(address) is not in 127.0.0.0/8")
    }
    return SourceAddresses(count: settings.sources)
  }

  /// Nanoseconds of processor time that this process has used.
  private func processorTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
