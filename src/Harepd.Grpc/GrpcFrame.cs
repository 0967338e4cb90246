using System.Buffers.Binary;
using System.IO.Compression;
using Google.Protobuf;

namespace Harepd.Grpc;

/// <summary>
/// A message on the wire: one byte that says whether it is compressed, four bytes of length (big endian), the message.
/// Lengths are judged from the header alone, before a byte of the message is kept, and again while inflating.
/// </summary>
internal readonly record struct GrpcFrame(bool IsCompressed, int Length)
{
    public const int HeaderBytes = 5;

    /// <summary>Frames a message without compression.</summary>
    public static byte[] Encode(IMessage message)
    {
        var size = message.CalculateSize();
        var frame = new byte[HeaderBytes + size];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), size);
        message.WriteTo(frame.AsSpan(HeaderBytes));
        return frame;
    }

    /// <summary>Reads and judges a header of five bytes.</summary>
    /// <exception cref="GrpcException">ResourceExhausted: longer than allowed. Internal or Unimplemented: a flag or encoding that cannot be.</exception>
    public static GrpcFrame Decode(ReadOnlySpan<byte> header, int maxBytes, string? encoding)
    {
        var flag = header[0];
        var length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (length > maxBytes)
        {
            throw new GrpcException(GrpcStatusCode.ResourceExhausted, $"a message of {length} bytes is over the limit of {maxBytes}");
        }

        if (flag > 1)
        {
            throw new GrpcException(GrpcStatusCode.Internal, $"the compression flag is {flag}; it can only be 0 or 1");
        }

        if (flag == 1 && string.IsNullOrEmpty(encoding))
        {
            throw new GrpcException(GrpcStatusCode.Internal, "the message is flagged compressed but no grpc-encoding is given");
        }

        return new GrpcFrame(flag == 1, (int)length);
    }

    /// <summary>Throws Unimplemented where the other side uses an encoding that is not spoken here.</summary>
    public static void CheckEncoding(string? encoding)
    {
        if (!string.IsNullOrEmpty(encoding) && encoding is not (GrpcHeaders.Identity or GrpcHeaders.Gzip))
        {
            throw new GrpcException(GrpcStatusCode.Unimplemented, $"grpc-encoding is not one of {GrpcHeaders.Spoken}");
        }
    }

    /// <summary>Gives the message's plain bytes; a bomb costs at most <paramref name="maxBytes"/> and one buffer.</summary>
    /// <exception cref="GrpcException">ResourceExhausted: inflates to more than allowed. Internal: not what its encoding says.</exception>
    public ReadOnlyMemory<byte> Open(byte[] body, int maxBytes, string? encoding)
    {
        if (!IsCompressed)
        {
            return body;
        }

        if (encoding != GrpcHeaders.Gzip)
        {
            throw new GrpcException(GrpcStatusCode.Internal, "the message is flagged compressed under an identity encoding");
        }

        using var inflating = new GZipStream(new MemoryStream(body, writable: false), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            for (int read; (read = inflating.Read(buffer)) > 0;)
            {
                if (plain.Length + read > maxBytes)
                {
                    throw new GrpcException(GrpcStatusCode.ResourceExhausted, $"the message inflates to more than the limit of {maxBytes} bytes");
                }

                plain.Write(buffer, 0, read);
            }
        }
        catch (InvalidDataException broken)
        {
            throw new GrpcException(GrpcStatusCode.Internal, "the message is not gzip data", broken);
        }

        return plain.GetBuffer().AsMemory(0, (int)plain.Length);
    }
}
