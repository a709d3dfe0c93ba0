import CPlatform

/// Writing to pipes whose reader may be gone, whatever SIGPIPE would do: a library must not decide that for its program.
extension Descriptor {
  /// Writes some of the bytes and tells how many; a dead reader is the error `EPIPE`, never a signal.
  ///
  /// Costs four short system calls more than `write`.  Sockets have `send`, which needs none.
  ///
  /// Source: write(2), sigtimedwait(2).
  public func writeWithoutSignal(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Int {
    try check("write", onDescriptor: number) { platform_write_without_signal(number, bytes.baseAddress, bytes.count) }
  }
}
