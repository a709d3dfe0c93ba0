import UnixIPC

/// Commands of the command server besides its own.
package protocol AdditionalCommands: Sendable {
  /// The names as `help` lists them.
  var names: [String] { get }

  /// Answers a command.
  ///
  /// - Returns: whether there is a command of this name, in whatever case it was typed.
  func run(_ word: UntrustedBytes, in reply: inout Reply, of connection: inout Connection) throws(ConnectionFailure)
    -> Bool
}
