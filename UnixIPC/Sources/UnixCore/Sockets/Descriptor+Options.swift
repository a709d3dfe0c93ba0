import Glibc

/// Options of sockets.
extension Descriptor {
  /// Sets an option whose value is a number.
  ///
  /// - Parameter level: such as `SOL_SOCKET` or `CInt(IPPROTO_TCP)`.
  ///
  /// Source: setsockopt(2).
  public func setOption(_ level: CInt, _ option: CInt, _ value: CInt) throws(SystemCallError) {
    try setOption(level, option, structure: value)
  }

  /// Sets an option whose value is a structure of C, such as `timeval` for `SO_RCVTIMEO`.
  ///
  /// Source: setsockopt(2).
  public func setOption<Value: BitwiseCopyable>(_ level: CInt, _ option: CInt, structure value: Value)
    throws(SystemCallError)
  { try setOption(level, option, native: value) }

  /// The same for a structure that Swift does not know to be bits alone, such as one with a union.
  func setOption<Value>(_ level: CInt, _ option: CInt, native value: Value) throws(SystemCallError) {
    _ = try check("setsockopt", onDescriptor: number) {
      withUnsafeBytes(of: value) { setsockopt(number, level, option, $0.baseAddress, socklen_t($0.count)) }
    }
  }

  /// The value of an option that is a number.
  ///
  /// Source: getsockopt(2).
  public func option(_ level: CInt, _ option: CInt) throws(SystemCallError) -> CInt {
    try self.option(level, option, structure: 0)
  }

  /// The value of an option that is a structure of C.
  ///
  /// - Parameter initial: a value of the structure's type, of which the kernel may fill in only a beginning.
  ///
  /// Source: getsockopt(2).
  public func option<Value: BitwiseCopyable>(_ level: CInt, _ option: CInt, structure initial: Value)
    throws(SystemCallError) -> Value
  {
    var value = initial
    var length = socklen_t(MemoryLayout<Value>.size)
    _ = try check("getsockopt", onDescriptor: number) {
      withUnsafeMutableBytes(of: &value) { getsockopt(number, level, option, $0.baseAddress, &length) }
    }
    return value
  }

  /// Sets what closing a connection does with data that the peer has not acknowledged yet.
  ///
  /// By default the kernel goes on sending it in the background.  With a time, closing waits for it that long, in whole
  /// seconds rounded up; with zero, closing drops the data and resets the connection.
  ///
  /// - Parameter limit: nil for the default.
  ///
  /// Source: SO_LINGER in socket(7).
  public func setLinger(_ limit: Duration?) throws(SystemCallError) {
    let seconds = limit.map { max(0, $0.components.seconds) + ($0.components.attoseconds > 0 ? 1 : 0) }
    try setOption(
      SOL_SOCKET, SO_LINGER,
      structure: linger(l_onoff: limit == nil ? 0 : 1, l_linger: CInt(clamping: seconds ?? 0)))
  }

  /// The kind of the socket; nil for a descriptor that is no socket (`-S` of the shell and Perl).
  ///
  /// Source: SO_TYPE in socket(7).
  public var socketKind: SocketKind? { (try? option(SOL_SOCKET, SO_TYPE)).map { SocketKind(rawValue: $0) } }
}
