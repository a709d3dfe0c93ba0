import CallFilters
import Confinement
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// The rules and the filter that a listener enters before its first client; its connection processes and programs
/// inherit them.
///
/// Making the rules opens files and uses the heap; entering them does neither.
struct ServiceConfinement: ~Copyable {
  private var files: FileRules?
  private var calls: CallFilter?
  /// The parts that the kernel lacks, a line each.
  let warnings: [String]

  /// The duties of a listener besides serving.
  struct Duties {
    /// Whether it has datagram sockets.
    var answersDatagrams = false
    /// Whether some of them are Unix sockets, whose clients may have abstract names.
    var answersUnixDatagrams = false
    /// Directories of files that it has made, and removes at its end.
    var directories: [UnixPath] = []
    /// Announces the end of a process that it forks; nil for a process that forks none.
    var exitSignal: Signal?
  }

  init(_ options: ListenerOptions, _ duties: Duties) throws(SystemCallError) {
    guard options.service.isConfined else {
      warnings = [options.sandbox == .off ? Self.offWarning : Self.gainWarning]
      return
    }
    let support = KernelSupport.current
    warnings = support.warnings
    if support.takesFilters {
      calls = try CallFilter.makeApart { () throws(SystemCallError) in
        try options.runsPrograms
          ? ProgramFilter.make(permitsNetwork: options.program.network == .any) : Self.builtInFilter(options, duties)
      }
    }
    guard support.landlockVersion > 0 else { return }
    let rules =
      try options.runsPrograms
      ? Self.programRules(options, support) : Self.builtInRules(options, duties, support)
    if case .some(let rules) = rules {
      for directory in duties.directories { try rules.permit(.removing, atAnyOf: [directory]) }
      files = consume rules
    }
  }

  private static let offWarning = "sandbox = \"off\": the service is not confined"
  private static let gainWarning = "allow-set-user-id: the service is not confined"

  // MARK: Built-in services

  private static func builtInFilter(_ options: ListenerOptions, _ duties: Duties) throws(SystemCallError) -> CallFilter
  {
    var needs: BuiltInFilter.Needs = []
    if duties.answersDatagrams { needs.insert(.datagrams) }
    if options.requiresProxies { needs.insert(.deferral) }
    if options.serve == .command { needs.insert(.logins) }
    if !duties.directories.isEmpty { needs.insert(.ownFiles) }
    return try BuiltInFilter.make(needs, exitSignal: duties.exitSignal)
  }

  private static func builtInRules(
    _ options: ListenerOptions, _ duties: Duties, _ support: KernelSupport
  ) throws(SystemCallError) -> FileRules? {
    var restrictions = FileRules.Restrictions.all
    // The kernel gives a client an abstract name if it asks for any, and a rule would keep the answer from it.
    if duties.answersUnixDatagrams { restrictions.remove(.abstractSockets) }
    let rules = try FileRules(support, restricting: restrictions)
    if options.serve == .command { try rules.permit(.reading, atAnyOf: [UnixPath(Logins.path)]) }
    return rules
  }

  // MARK: Programs

  /// Programs, whose files are not known, are restricted only as far as the settings name them.
  private static func programRules(
    _ options: ListenerOptions, _ support: KernelSupport
  ) throws(SystemCallError) -> FileRules? {
    let settings = options.program
    var restrictions: FileRules.Restrictions = []
    if settings.restrictsFiles { restrictions.insert(.files) }
    // Before version 4 Landlock cannot restrict TCP, and the kernel refuses empty rules.
    if settings.network == .none, support.landlockVersion >= 4 { restrictions.insert(.network) }
    guard !restrictions.isEmpty else { return nil }
    let rules = try FileRules(support, restricting: restrictions)
    guard settings.restrictsFiles else { return rules }
    for path in settings.readOnlyPaths { try rules.permit(.using, at: UnixPath(path)) }
    for path in settings.readWritePaths { try rules.permit(.everything, at: UnixPath(path)) }
    try rules.permit(.everything, atAnyOf: ["/dev/null", "/dev/zero", "/dev/full"])
    try rules.permit(.reading, atAnyOf: ["/dev/random", "/dev/urandom"])
    try rules.permit(
      .using, atAnyOf: ProgramSettings.alwaysReadable.map { UnixPath($0) } + options.programPaths)
    return rules
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

  fileprivate var programPaths: [UnixPath] {
    ([service.exec] + service.commands.map(\.words)).compactMap(\.first).map { UnixPath($0) }
  }
}

extension ListenerSettings {
  /// Becomes the service's user and gives up all privileges.
  ///
  /// A service whose programs may gain privileges keeps the capabilities of root, which they would gain anyway.
  func giveUpPrivileges() throws(SystemCallError) {
    var kept: Privileges.Kept = []
    if options.program.allowSetUserID {
      kept = identity?.user ?? geteuid() == 0 ? [.gains, .capabilities] : .gains
    }
    try Privileges.giveUp(becoming: identity, keeping: kept)
    // Programs have a limit of their own, which they may raise again.
    if !options.runsPrograms { try Privileges.forbidCores() }
  }
}
