using System.Text;
using Harepd.Files;
using Xunit;

namespace Harepd.Tests.Files;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Replacing_keeps_owner_and_mode(bool hurried)
    {
        var path = _folder.File("pg_hba.conf");
        File.WriteAllText(path, "old");
        Command.Run("chown", "postgres:ssl-cert", path);
        Command.Run("chmod", "0640", path);

        var result = AtomicFile.Replace(path, "new"u8, hurried ? Durability.VisibleOnly : Durability.Durable);

        Assert.Null(result.Error);
        Assert.Equal("new", File.ReadAllText(path));
        Assert.Equal("postgres ssl-cert 640", Command.Run("stat", "-c", "%U %G %a", path).Trim());
        Assert.Equal(["pg_hba.conf"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
        Assert.Null(AtomicFile.Flush(path).Error);
    }

    [Fact]
    public void A_new_file_gets_the_mode_that_was_asked_for()
    {
        var path = _folder.File("state");

        Assert.Null(AtomicFile.Replace(path, "x"u8, modeWhenNew: 0x1A4).Error);

        Assert.Equal("644", Command.Run("stat", "-c", "%a", path).Trim());
    }

    [Fact]
    public void A_symbolic_link_stays_and_its_target_is_replaced()
    {
        Directory.CreateDirectory(_folder.File("real"));
        var target = _folder.File("real/pg_hba.conf");
        File.WriteAllText(target, "old");
        var link = _folder.File("pg_hba.conf");
        File.CreateSymbolicLink(link, "real/pg_hba.conf");

        Assert.Null(AtomicFile.Replace(link, "new"u8).Error);

        Assert.Equal("real/pg_hba.conf", new FileInfo(link).LinkTarget);
        Assert.Equal("new", File.ReadAllText(target));
    }

    [Fact]
    public void A_full_disk_leaves_the_old_file_whole_and_no_temporary_file()
    {
        var mount = _folder.File("small");
        Directory.CreateDirectory(mount);
        Command.Run("mount", "-t", "tmpfs", "-o", "size=64k", "harepd-test", mount);
        try
        {
            var path = Path.Combine(mount, "pg_hba.conf");
            File.WriteAllText(path, "old content\n");

            var result = AtomicFile.Replace(path, Encoding.ASCII.GetBytes(new string('x', 200_000)));

            Assert.Contains("No space left", result.Error, StringComparison.Ordinal);
            Assert.Equal("old content\n", File.ReadAllText(path));
            Assert.Equal(["pg_hba.conf"], Directory.GetFiles(mount).Select(Path.GetFileName));
        }
        finally
        {
            Command.Run("umount", mount);
        }
    }

    [Fact]
    public void A_missing_folder_is_a_reason_and_not_an_exception()
    {
        var result = AtomicFile.Replace(_folder.File("nowhere/file"), "x"u8);

        Assert.Contains("nowhere", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Leftovers_of_a_crashed_writer_are_removed_and_nothing_else()
    {
        var path = _folder.File("pg_hba.conf");
        File.WriteAllText(path, "old");
        File.WriteAllText(path + ".harepd-new-77-1", "half");
        File.WriteAllText(path + ".harepd-backup-20260101T000000Z", "backup");

        AtomicFile.RemoveLeftovers(path);

        Assert.Equal(
            ["pg_hba.conf", "pg_hba.conf.harepd-backup-20260101T000000Z"],
            Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Facts_change_with_every_replacement()
    {
        var path = _folder.File("file");
        File.WriteAllText(path, "same");
        var before = FileFacts.Of(path);

        Assert.Equal(before, FileFacts.Of(path));
        AtomicFile.Replace(path, "same"u8);

        Assert.NotEqual(before, FileFacts.Of(path));
        Assert.Equal(4ul, FileFacts.Of(path)?.Size);
        Assert.Null(FileFacts.Of(_folder.File("absent")));
    }
}
