/// Memory of the program's own image that connection processes use in place of the listener's.
public struct ProgramMemory {
  /// For their stack (`PrivateStack.leaveFirst`).
  let stack: UnsafeMutableRawBufferPointer
  /// Where the listener's own thread variables lie (`PrivateStack.leaveThreadVariables`); empty if that is not known.
  let threadPages: UnsafeMutableRawBufferPointer

  /// - Parameter stack: whole pages above others that cannot be written to.
  /// - Parameter threadPages: whole pages on which the thread's variables lie and nothing else.
  public init(stack: UnsafeMutableRawBufferPointer, threadPages: UnsafeMutableRawBufferPointer) {
    self.stack = stack
    self.threadPages = threadPages
  }
}
