import Admission
import CSharedLayouts
import ControlProtocol
import Glibc
import NetworkServices
import Settings
@_spi(Begat) import UnixCore

/// One connection on standard input and output: `begat-listener --stdio`, under inetd or a unit with `Accept=yes`.
enum StandardConnection {
  /// Serves it with the same settings as a listener's connections have.
  ///
  /// - Returns: whether the client was admitted and served.
  static func serve(_ settings: ListenerSettings) throws -> Bool {
    let options = settings.options
    // Descriptors that the starter left open must not reach the client's process.
    try DescriptorRange.close(from: 3, keeping: UnsafeBufferPointer(start: nil, count: 0))
    if settings.servesAsRoot { ListenerProgram.complain("\(options.name): \(ListenerSettings.rootWarning)", .warning) }
    guard let builtIn = options.serve else { return false }
    let client = Descriptor.withBorrowed(0) { Self.client(at: $0, options) }
    guard isAdmitted(client, options) else { return false }
    // Before files are read, as in a listener: a file that the service's user may not read is an error immediately.
    try settings.giveUpPrivileges()
    let programs = ProgramLoader(options: options, pendingSignals: nil)
    let service = try LoadedService(builtIn, options: options, programs: programs, errors: 2) {
      ListenerProgram.complain("\(options.name): \($0)", .warning)
    }
    guard case .service(let stream) = service.offer else { return false }
    if let longest = options.maxDuration { try ProcessControl.end(with: .terminate, after: longest) }
    let slot = UnsafeMutablePointer<begat_slot>.allocate(capacity: 1)
    slot.initialize(to: begat_slot())
    let limits = TimeLimits(firstByte: options.firstByteTimeout, idle: options.idleTimeout)
    var connection = Connection(
      input: Descriptor(owning: 0), output: Descriptor(owning: 1), peer: Peer(address: client.address),
      limits: limits, tally: Tally(slot))
    // Its warnings would be repeated for each connection.
    try ServiceConfinement(options, ServiceConfinement.Duties()).enter()
    let process = ConnectionProcess(
      service: stream, limits: limits, names: nil, title: ConnectionProcess.title(of: options.name),
      listener: getppid())
    return process.serve(&connection) != Outcome.failedStatus
  }

  private static func client(at connection: borrowing Descriptor, _ options: ListenerOptions) -> Client {
    let prefix = options.admission.sourcePrefix
    guard let native = try? connection.peerAddress() else { return Client(address: nil, prefix: prefix) }
    return Client(of: connection, at: native, prefix: prefix)
  }

  /// Whether `allow` and `deny` admit the client; a refused one gets the line of `refusal`.
  private static func isAdmitted(_ client: Client, _ options: ListenerOptions) -> Bool {
    let rules = AccessRules(allow: options.admission.allow, deny: options.admission.deny)
    if rules.decision(on: client.address, user: client.user).isAllowed { return true }
    let name = PeerText(options.logAddress).text(client.address)
    ListenerProgram.complain("\(options.name): refused \(name)", .notice)
    if let refusal = options.refusal {
      Descriptor.withBorrowed(1) { output in _ = try? output.writeAll(refusal + "\r\n") }
    }
    return false
  }
}
