using Harepd.Grpc;
using Harepd.Peers;
using Harepd.Tests.Grpc;
using Xunit;

namespace Harepd.Tests.Peers;

public sealed class TlsFilesTests : IDisposable
{
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);
    private readonly Certificates _certificates = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("harepd-tls-").FullName;
    private readonly ListLog _log = new();

    public void Dispose()
    {
        _certificates.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task New_files_are_used_by_new_handshakes()
    {
        const string address = "127.10.8.1";
        using var strangers = new Certificates("strangers");
        Write(strangers.Sign("old", address, usages: Certificates.ServerUsage), strangers.Authority);
        using var files = Open(TimeSpan.FromMilliseconds(20));
        await using var host = await Calls.ServeAsync(address, Calls.ByNameAsync, listen: new GrpcListenOptions { Tls = () => files.Current });
        using var channel = Calls.Open(host.EndPoint, new GrpcChannelOptions { Tls = _certificates.TrustOnly, ConnectTimeout = Calls.Patience });
        Assert.Equal(GrpcStatusCode.Unavailable, (await channel.FailAsync("x")).Code);

        Write(_certificates.Sign("new", address, usages: Certificates.ServerUsage), _certificates.Authority);

        await WaitFor.TrueAsync(async () =>
        {
            try
            {
                await channel.AskAsync("x");
                return true;
            }
            catch (GrpcException)
            {
                return false;
            }
        });
    }

    [Fact]
    public void Broken_files_leave_the_old_ones_in_force_and_are_complained_of_once()
    {
        Write(_certificates.Sign("first", "x"), _certificates.Authority);
        using var files = Open(Never);
        var first = files.Current;

        File.WriteAllText(Path("cert.pem"), "not a certificate");
        files.Look();
        files.Look();
        files.Look();

        Assert.Same(first, files.Current);
        var complaint = Assert.Single(_log.Lines);
        Assert.StartsWith("Error the certificates in force are kept", complaint);

        Write(_certificates.Sign("second", "x"), _certificates.Authority);
        files.Look();
        files.Look();
        Assert.NotSame(first, files.Current);
        Assert.Equal(2, _log.Lines.Count);
    }

    [Fact]
    public void A_file_that_vanishes_or_is_no_file_leaves_the_old_ones_in_force()
    {
        Write(_certificates.Sign("first", "x"), _certificates.Authority);
        using var files = Open(Never);
        var first = files.Current;

        File.Delete(Path("key.pem"));
        files.Look();
        Directory.CreateDirectory(Path("key.pem"));
        files.Look();

        Assert.Same(first, files.Current);
        Assert.Contains("is not there", _log.Lines[0]);
        Assert.Contains("is not a file", _log.Lines[1]);
    }

    [Fact]
    public void Nothing_starts_with_files_that_do_not_make_sense()
    {
        Write(_certificates.Sign("first", "x"), _certificates.Authority);
        File.WriteAllText(Path("key.pem"), _certificates.Sign("other", "x").Key);

        Assert.Null(TlsFiles.TryOpen(Path("ca.pem"), Path("cert.pem"), Path("key.pem"), Never, _log, out var mismatch));
        Assert.Contains("does not belong", mismatch);
        Assert.Null(TlsFiles.TryOpen(Path("none.pem"), Path("cert.pem"), Path("key.pem"), Never, _log, out var missing));
        Assert.Contains("none.pem is not there", missing);
        File.WriteAllBytes(Path("ca.pem"), new byte[2 * 1024 * 1024]);
        Assert.Null(TlsFiles.TryOpen(Path("ca.pem"), Path("cert.pem"), Path("key.pem"), Never, _log, out var huge));
        Assert.Contains("too long", huge);
    }

    private TlsFiles Open(TimeSpan interval)
    {
        var files = TlsFiles.TryOpen(Path("ca.pem"), Path("cert.pem"), Path("key.pem"), interval, _log, out var error);
        Assert.Null(error);
        return files!;
    }

    private string Path(string name) => System.IO.Path.Combine(_folder, name);

    private void Write((string Certificate, string Key) signed, string authority)
    {
        File.WriteAllText(Path("ca.pem"), authority);
        File.WriteAllText(Path("cert.pem"), signed.Certificate);
        File.WriteAllText(Path("key.pem"), signed.Key);
    }
}
