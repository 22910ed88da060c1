/* SPDX-License-Identifier: MIT */
#include "server/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>

#include "crypto/random.h"

/* LeakSanitizer looks at the other threads with ptrace(2) when the program ends:
 * such a build stays open to it. */
#if defined(__has_feature)
#	if __has_feature(address_sanitizer)
#		define KEEP_PTRACE 1
#	endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#	define KEEP_PTRACE 1
#endif

void
sandbox_limits(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r); /* what we may not have, we do without */
	}
#ifndef KEEP_PTRACE
	secret_process();
#endif
}

/* ---- whose rights ---- */

/* The owner of dir, or of the nearest folder above it that is there. */
static bool
owner_of(const char *dir, struct stat *st)
{
	char path[4096], *slash;

	if (strlcpy(path, dir, sizeof(path)) >= sizeof(path))
		return false;
	while (stat(path, st) == -1) {
		if (errno != ENOENT || strcmp(path, ".") == 0)
			return false;
		if ((slash = strrchr(path, '/')) == NULL)
			strlcpy(path, ".", sizeof(path));
		else
			slash[slash == path ? 1 : 0] = '\0';
	}
	return true;
}

enum qerr
sandbox_find_user(const char *run_as, const char *data_dir, struct sandbox_user *out,
		  struct why *why)
{
	struct sandbox_user u = {.change = false};
	const struct passwd *pw;
	struct stat st;

	if (geteuid() == 0 && *run_as != '\0') {
		if ((pw = getpwnam(run_as)) == NULL)
			return why_set(why, Q_MISSING,
				       "security.user: there is no user %s", run_as);
		u.uid = pw->pw_uid;
		u.gid = pw->pw_gid;
	} else if (geteuid() == 0 && owner_of(data_dir, &st)) {
		u.uid = st.st_uid;
		u.gid = st.st_gid;
		if ((pw = getpwuid(st.st_uid)) != NULL)
			u.gid = pw->pw_gid;
	} else {
		pw = NULL;
	}
	if (pw != NULL)
		strlcpy(u.name, pw->pw_name, sizeof(u.name));
	u.change = u.uid != 0;
	*out = u;
	return Q_OK;
}

static enum qerr
refused(const struct sandbox_user *u, struct why *why)
{
	return why_set(why, Q_DENIED, "cannot work as user %s (%u): %s", u->name,
		       (unsigned)u->uid, strerror(errno));
}

enum qerr
sandbox_enter(const struct sandbox_user *u, struct why *why)
{
	int groups;

	if (!u->change)
		return Q_OK;
	groups = *u->name != '\0' ? initgroups(u->name, u->gid) : setgroups(0, NULL);
	if (groups == -1 || setegid(u->gid) == -1 || seteuid(u->uid) == -1)
		return refused(u, why);
	return Q_OK;
}

enum qerr
sandbox_leave(const struct sandbox_user *u, struct why *why)
{
	if (u->change && (seteuid(0) == -1 || setegid(0) == -1))
		return why_set(why, Q_DENIED, "cannot take root's rights back: %s",
			       strerror(errno));
	return Q_OK;
}

enum qerr
sandbox_drop(const struct sandbox_user *u, struct why *why)
{
	if (!u->change)
		return Q_OK;
	if (setresgid(u->gid, u->gid, u->gid) == -1 ||
	    setresuid(u->uid, u->uid, u->uid) == -1)
		return refused(u, why);
	if (setuid(0) == 0)
		return why_set(why, Q_DENIED, "root's rights could be taken back");
	return Q_OK;
}

/* ---- system calls ---- */

/* A list of what is denied, and not of what is allowed: it holds with every C
 * library and sanitizer, and still takes away what turns a hole in a server into
 * the machine's loss. */
static const char *const denied[] = {
    /* other programs and processes */
    "execve", "execveat", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd",
#ifndef KEEP_PTRACE
    "ptrace",
#endif
    /* the file system's shape */
    "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen",
    "fsmount", "fsconfig", "fspick", "mount_setattr", "quotactl", "swapon", "swapoff",
    "open_by_handle_at", "name_to_handle_at",
    /* namespaces */
    "setns", "unshare",
    /* the kernel */
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load",
    "reboot", "bpf", "perf_event_open", "userfaultfd", "syslog", "acct", "iopl", "ioperm",
    "io_uring_setup", "io_uring_enter", "io_uring_register", "lookup_dcookie", "vhangup",
    /* clock, name, keys */
    "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "sethostname",
    "setdomainname", "add_key", "request_key", "keyctl"};

enum qerr
sandbox_filter(struct why *why)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r = ctx == NULL ? -ENOMEM : 0;

	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	for (size_t i = 0; r == 0 && i < sizeof(denied) / sizeof(denied[0]); i++) {
		int nr = seccomp_syscall_resolve_name(denied[i]);

		if (nr != __NR_SCMP_ERROR)
			r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), nr, 0);
		if (r == -EDOM) /* not a call of this machine's kind */
			r = 0;
	}
	if (r == 0)
		r = seccomp_load(ctx); /* sets no_new_privs, for all threads, too */
	if (ctx != NULL)
		seccomp_release(ctx);
	if (r != 0)
		return why_set(why, Q_SYS, "cannot set the filter of system calls: %s",
			       strerror(-r));
	return Q_OK;
}
