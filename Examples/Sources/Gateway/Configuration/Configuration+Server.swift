extension Configuration.Server {
    /// Reads the field `server`.
    init(_ field: Field) throws {
        let fields = try field.fields("host", "port", "maxBodyBytes", "drainSeconds")
        self.init()
        host = try fields["host"]?.text() ?? host
        port = try fields.count("port", in: 0...65_535) ?? port
        maxBodyBytes = try fields.count("maxBodyBytes", in: 1...1_073_741_824) ?? maxBodyBytes
        drain = try fields.seconds("drainSeconds", atLeast: 0) ?? drain
    }
}
