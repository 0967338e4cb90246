using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;

namespace Harepd.Grpc;

/// <summary>Turns what an HTTP client can go through into the statuses of gRPC (grpc/grpc doc/http-grpc-status-mapping.md, PROTOCOL-HTTP2.md).</summary>
internal static class GrpcFailure
{
    private const int RefusedStream = 7;
    private const int Cancel = 8;
    private const int EnhanceYourCalm = 11;
    private const int InadequateSecurity = 12;

    /// <summary>A failure below gRPC. Neither the caller's token nor its deadline is the cause.</summary>
    public static GrpcException FromTransport(Exception failure)
    {
        var code = Find<HttpProtocolException>(failure)?.ErrorCode switch
        {
            Cancel => GrpcStatusCode.Cancelled,
            EnhanceYourCalm => GrpcStatusCode.ResourceExhausted,
            InadequateSecurity => GrpcStatusCode.PermissionDenied,
            RefusedStream => GrpcStatusCode.Unavailable,
            _ => GrpcStatusCode.Unavailable,
        };
        return new GrpcException(code, Describe(failure), failure);
    }

    /// <summary>The status that the headers or trailers carry; null where they carry none.</summary>
    public static (GrpcStatusCode Code, string Detail)? ReadStatus(HttpHeaders headers)
    {
        if (!headers.NonValidated.TryGetValues(GrpcHeaders.Status, out var status))
        {
            return null;
        }

        var message = headers.NonValidated.TryGetValues(GrpcHeaders.Message, out var text) ? PercentText.Decode(text.ToString()) : "";
        var isNumber = int.TryParse(status.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var code);
        return (isNumber && code is >= 0 and <= 16 ? (GrpcStatusCode)code : GrpcStatusCode.Unknown, message);
    }

    /// <summary>What an answer without a gRPC status means.</summary>
    public static GrpcException FromHttp(HttpStatusCode status) => new(
        (int)status switch
        {
            400 => GrpcStatusCode.Internal,
            401 => GrpcStatusCode.Unauthenticated,
            403 => GrpcStatusCode.PermissionDenied,
            404 => GrpcStatusCode.Unimplemented,
            429 or 502 or 503 or 504 => GrpcStatusCode.Unavailable,
            _ => GrpcStatusCode.Unknown,
        },
        $"HTTP status {(int)status} without a gRPC status");

    private static string Describe(Exception failure)
    {
        if (Find<OperationCanceledException>(failure) is not null)
        {
            return "no connection within the connect timeout";
        }

        var innermost = failure;
        while (innermost.InnerException is { } inner)
        {
            innermost = inner;
        }

        return Find<AuthenticationException>(failure) is { } handshake
            ? $"TLS handshake failed: {(handshake == innermost ? handshake.Message : $"{handshake.Message} {innermost.Message}")}"
            : innermost.Message;
    }

    private static T? Find<T>(Exception? failure)
        where T : Exception
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (failure is T found)
            {
                return found;
            }
        }

        return null;
    }
}
