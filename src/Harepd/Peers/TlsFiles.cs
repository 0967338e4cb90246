using Harepd.Files;
using Harepd.Grpc;
using Microsoft.Extensions.Logging;

namespace Harepd.Peers;

/// <summary>
/// The certificates from the configured files, looked at again every few seconds. New files are used by the next handshakes; files that do not
/// make sense leave the old ones in force and are complained of once, until they change again.
/// </summary>
internal sealed class TlsFiles : IDisposable
{
    private const long MaxBytes = 1024 * 1024;
    private const uint TypeMask = 0xF000;
    private const uint RegularFile = 0x8000;
    private static readonly EventId Reloaded = new(320, "CertificatesReloaded");
    private static readonly EventId NotReloaded = new(321, "CertificatesNotReloaded");

    private readonly string[] _paths;
    private readonly ILogger _log;
    private readonly Timer _timer;
    private readonly Lock _lock = new();
    private FileFacts?[] _seen;
    private volatile GrpcTlsMaterial _current;

    private TlsFiles(string[] paths, FileFacts?[] seen, GrpcTlsMaterial first, TimeSpan interval, ILogger log)
    {
        _paths = paths;
        _seen = seen;
        _current = first;
        _log = log;
        _timer = new Timer(_ => Look(), null, interval, interval);
    }

    /// <summary>What the next handshake is to use. Thread-safe.</summary>
    public GrpcTlsMaterial Current => _current;

    /// <summary>Reads the files; null and one sentence where they do not make sense.</summary>
    public static TlsFiles? TryOpen(string ca, string certificate, string key, TimeSpan interval, ILogger log, out string? error)
    {
        string[] paths = [ca, certificate, key];
        var seen = Array.ConvertAll(paths, FileFacts.Of);
        var first = Read(paths, seen, out error);
        return first is null ? null : new TlsFiles(paths, seen, first, interval, log);
    }

    /// <summary>Looks at the files now; the timer does the same.</summary>
    public void Look()
    {
        lock (_lock)
        {
            // The facts are read before the texts: a change in between shows at the next look.
            var now = Array.ConvertAll(_paths, FileFacts.Of);
            if (now.AsSpan().SequenceEqual(_seen))
            {
                return;
            }

            _seen = now;
            if (Read(_paths, now, out var error) is { } material)
            {
                _current = material;
                _log.LogInformation(Reloaded, "certificates were read again, valid until {Expires:u}", material.ExpiresUtc);
            }
            else
            {
                _log.LogError(NotReloaded, "the certificates in force are kept: {Reason}", error);
            }
        }
    }

    public void Dispose() => _timer.Dispose();

    private static GrpcTlsMaterial? Read(string[] paths, FileFacts?[] facts, out string? error)
    {
        for (var i = 0; i < paths.Length; i++)
        {
            error = facts[i] switch
            {
                null => $"{paths[i]} is not there",
                { } fact when (fact.Mode & TypeMask) != RegularFile => $"{paths[i]} is not a file",
                { Size: > MaxBytes } => $"{paths[i]} is too long to be a certificate",
                _ => null,
            };
            if (error is not null)
            {
                return null;
            }
        }

        try
        {
            var texts = Array.ConvertAll(paths, File.ReadAllText);
            error = null;
            return GrpcTlsMaterial.FromPem(texts[0], texts[1], texts[2]);
        }
        catch (Exception failure)
        {
            // Whatever the texts hold must not end the daemon: this also runs on a timer.
            error = $"{string.Join(", ", paths)}: {failure.Message}";
            return null;
        }
    }
}
