import Glibc

/// What a standard stream of a program to start is.
///
/// A stream that is a descriptor owns it: it is closed here when the program has been started with it.
public struct ProgramStream: ~Copyable, Sendable {
  fileprivate enum Kind: Equatable {
    case inherited
    case null
    case number(CInt)
    case withOutput
  }

  fileprivate let kind: Kind
  private let owned: Descriptor?

  private init(_ kind: Kind, owned: consuming Descriptor? = nil) {
    self.kind = kind
    self.owned = owned
  }

  /// The caller's own standard stream.
  public static var inherited: ProgramStream { ProgramStream(.inherited) }

  /// /dev/null: empty for reading, and it takes everything that is written.
  public static var null: ProgramStream { ProgramStream(.null) }

  /// For the standard error: wherever the standard output goes (`2>&1`).  For another stream it is `inherited`.
  public static var withOutput: ProgramStream { ProgramStream(.withOutput) }

  /// An open descriptor, which the stream takes over.
  public static func descriptor(_ descriptor: consuming Descriptor) -> ProgramStream {
    let number = descriptor.number
    return ProgramStream(.number(number), owned: descriptor)
  }

  /// An open descriptor of the caller, which keeps it open until the program has been started.
  @_spi(Begat) public static func descriptor(_ number: CInt) -> ProgramStream { ProgramStream(.number(number)) }
}

/// The three standard streams of one start, as descriptors of the caller.
struct ProgramStreams: ~Copyable {
  private let null: Descriptor?
  let numbers: [CInt]

  /// The streams must be kept open as long as the numbers are used.
  init(
    input: borrowing ProgramStream, output: borrowing ProgramStream, errors: borrowing ProgramStream
  ) throws(SystemCallError) {
    let kinds = [input.kind, output.kind, errors.kind]
    let null: Descriptor? = kinds.contains(.null) ? try Descriptor.open("/dev/null", .readWrite) : nil
    let nullNumber = Self.number(of: null)
    func number(_ standard: CInt) -> CInt {
      switch kinds[Int(standard)] {
      case .inherited: standard
      case .null: nullNumber
      case .number(let number): number
      case .withOutput: standard == STDERR_FILENO ? number(STDOUT_FILENO) : standard
      }
    }
    numbers = [number(STDIN_FILENO), number(STDOUT_FILENO), number(STDERR_FILENO)]
    self.null = null
  }

  private static func number(of descriptor: borrowing Descriptor?) -> CInt {
    switch descriptor {
    case .some(let descriptor): descriptor.number
    case .none: -1
    }
  }
}
