import CallFilters
import Confinement
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// What a listener takes away from itself before its first client, and with it from all its connection processes and
/// programs: all that its service does not need.
///
/// Making the rules opens files and uses the heap; entering them does neither.
struct ServiceConfinement: ~Copyable {
  private var files: FileRules?
  private var calls: CallFilter?
  /// What the kernel lacks for it, a line for each.
  let warnings: [String]

  /// What a listener does besides serving.
  struct Duties {
    /// Whether it has datagram sockets.
    var answersDatagrams = false
    /// Directories of files that it has made, and removes at its end.
    var directories: [UnixPath] = []
    /// Announces the end of a process that it forks; nil for a process that forks none.
    var exitSignal: Signal?
  }

  init(_ options: ListenerOptions, _ duties: Duties) throws(SystemCallError) {
    guard options.sandbox != .off else {
      warnings = [Self.offWarning]
      return
    }
    let support = KernelSupport.current
    warnings = support.warnings
    let runsPrograms = options.runsPrograms
    if support.takesFilters {
      calls = try runsPrograms ? ProgramFilter.make() : Self.builtInFilter(options, duties)
    }
    // What a program may open is not known.
    guard support.landlockVersion > 0, !runsPrograms else { return }
    let files = try FileRules(support)
    if options.serve == .command { try files.permitReading(UnixPath(Logins.path)) }
    for directory in duties.directories { try files.permitRemoving(in: directory) }
    self.files = consume files
  }

  private static let offWarning = "sandbox = \"off\": the service is not confined"

  private static func builtInFilter(_ options: ListenerOptions, _ duties: Duties) throws(SystemCallError) -> CallFilter
  {
    var needs: BuiltInFilter.Needs = []
    if duties.answersDatagrams { needs.insert(.datagrams) }
    if options.serve == .command { needs.insert(.logins) }
    if !duties.directories.isEmpty { needs.insert(.ownFiles) }
    return try BuiltInFilter.make(needs, exitSignal: duties.exitSignal)
  }

  /// Puts all of it into force, forever.
  ///
  /// Landlock comes first: the filter permits its calls no more.
  consuming func enter() throws(SystemCallError) {
    if let files = files.take() { try files.enter() }
    if let calls = calls.take() { try calls.enter() }
  }
}

extension ListenerOptions {
  /// Whether the listener executes programs, as the service or as commands of the command server.
  var runsPrograms: Bool { service.serve == nil || !service.commands.isEmpty }
}

extension ListenerSettings {
  /// Becomes the service's user and gives up all privileges.
  ///
  /// Root's own programs keep its capabilities: without them they would be no programs of root's.
  func giveUpPrivileges() throws(SystemCallError) {
    let isRoot = identity?.user ?? geteuid() == 0
    try Privileges.giveUp(becoming: identity, keepsCapabilities: options.runsPrograms && isRoot)
    // Programs have a limit of their own, which they may raise again.
    if !options.runsPrograms { try Privileges.forbidCores() }
  }
}
