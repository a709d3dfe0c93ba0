/// Memory in the program's image: for the stack of connection processes, and of the listener's thread variables.
public struct ProgramMemory {
  /// The stack of connection processes (`PrivateStack.leaveFirst`).
  let stack: UnsafeMutableRawBufferPointer
  /// The pages of the listener's thread variables (`PrivateStack.leaveThreadVariables`); empty if they are not known.
  let threadPages: UnsafeMutableRawBufferPointer

  /// A function that returns the address of memory, and gives its size in bytes to its argument.
  public typealias Finder = (UnsafeMutablePointer<Int>) -> UnsafeMutableRawPointer?

  /// - Parameter stack: finds whole pages above others that cannot be written to.
  /// - Parameter threadPages: finds whole pages on which the thread's variables lie and nothing else.
  public init(stack: Finder, threadPages: Finder) {
    self.stack = ProgramMemory.bytes(stack)
    self.threadPages = ProgramMemory.bytes(threadPages)
  }

  private static func bytes(_ find: Finder) -> UnsafeMutableRawBufferPointer {
    var size = 0
    return UnsafeMutableRawBufferPointer(start: find(&size), count: size)
  }
}
