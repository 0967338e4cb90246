using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Harepd.Grpc;
using Xunit;

namespace Harepd.Tests.Grpc;

/// <summary>An HTTP/2 client without gRPC's manners, for requests that no honest client sends.</summary>
internal sealed class RawHttp2 : IDisposable
{
    private readonly HttpClient _http = new() { Timeout = Calls.Patience };
    private readonly TaskCompletionSource _never = new();

    public static byte[] Frame(IMessage message) => GrpcFrame.Encode(message);

    public static byte[] Gzip(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            zip.Write(plain);
        }

        var length = (int)packed.Length;
        return [1, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length, .. packed.ToArray()];
    }

    /// <summary>The status, wherever it stands; reads the answer to its end.</summary>
    public static async Task<string> StatusAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        if (response.Headers.TryGetValues("grpc-status", out var early))
        {
            return early.Single();
        }

        await response.Content.ReadAsByteArrayAsync().WaitAsync(Calls.Patience);
        return response.TrailingHeaders.GetValues("grpc-status").Single();
    }

    public Task<HttpResponseMessage> PostAsync(IPEndPoint to, byte[] body, params (string Name, string Value)[] headers) =>
        SendAsync(to, "POST", "application/grpc", body, true, headers);

    public Task<HttpResponseMessage> PostAsync(IPEndPoint to, byte[] body, bool isEnded) =>
        SendAsync(to, "POST", "application/grpc", body, isEnded);

    public async Task<HttpResponseMessage> SendAsync(
        IPEndPoint to, string verb, string type, byte[] body, bool isEnded = true, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(verb), $"http://{to}{Calls.Ask.Path}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new Body(body, isEnded ? Task.CompletedTask : _never.Task),
        };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Calls.Patience);
    }

    public void Dispose()
    {
        _never.TrySetCanceled();
        _http.Dispose();
    }

    private sealed class Body(byte[] bytes, Task end) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(bytes);
            await stream.FlushAsync();
            await end;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
