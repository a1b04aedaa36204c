/// Something that a person handed to the program, or a file that it found, makes no sense.
struct InputError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
