@_spi(Begat) import UnixCore

/// An open file that several owners keep: it is closed when the last of them lets go of it.
public final class SharedFile: Sendable {
  public let descriptor: Descriptor

  public init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}
