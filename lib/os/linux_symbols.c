/* SPDX-License-Identifier: MIT */
/*
 * os/linux_symbols.c - an address in the code, for people and for addr2line.
 * Layer 1.  Uses: os.
 *
 * The loader's own calls (dladdr) wait while somebody loads a library, which
 * may take for ever; who watches threads must not.  So the loaded files are
 * noted once, and their symbols, those of static functions too, are read from
 * the files when they are wanted.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../os.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <unistd.h>

enum { MODULES = 64, AT_ONCE = 64, SYMBOL_NAME = 64 };

static struct modules {
	int n;
	struct module {
		uintptr_t bias, low, high;	/* addresses less bias are
						 * those in the file */
		char path[240];
	} of[MODULES];
} *modules;

static int
note_module(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct modules *all = arg;
	struct module *m = &all->of[all->n];

	(void)size;
	m->bias = info->dlpi_addr;
	m->low = UINTPTR_MAX;
	m->high = 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t from = m->bias + p->p_vaddr;

		if (p->p_type != PT_LOAD)
			continue;
		m->low = from < m->low ? from : m->low;
		m->high = from + p->p_memsz > m->high ?
		    from + p->p_memsz : m->high;
	}
	snprintf(m->path, sizeof m->path, "%s", info->dlpi_name);
	if (!m->path[0] && readlink("/proc/self/exe", m->path,
	    sizeof m->path - 1) < 0)
		m->path[0] = '\0';
	return ++all->n == MODULES;
}

void
wf__os_symbols_open(void)
{
	if (!modules)
		modules = wf__os_map((sizeof *modules | 0xffff) + 1);
	if (!modules)
		return;
	memset(modules, 0, sizeof *modules);
	dl_iterate_phdr(note_module, modules);
}

void
wf__os_symbols_close(void)
{
	if (modules)
		wf__os_unmap(modules, (sizeof *modules | 0xffff) + 1);
	modules = NULL;
}

/* ---- a file's symbols ---- */

static bool
read_file_at(int fd, void *p, size_t size, uint64_t offset)
{
	return pread(fd, p, size, (off_t)offset) == (ssize_t)size;
}

/* Section i, or the first of a type from i on. */
static bool
read_section(int fd, const ElfW(Ehdr) *head, unsigned i, unsigned type,
    ElfW(Shdr) *s)
{
	for (; i < head->e_shnum; i++) {
		if (!read_file_at(fd, s, sizeof *s, head->e_shoff +
		    i * sizeof *s))
			return false;
		if (type == SHT_NULL || s->sh_type == type)
			return true;
	}
	return false;
}

static bool
is_around(const ElfW(Sym) *s, uintptr_t at)
{
	return (s->st_info & 15) == STT_FUNC && s->st_shndx != SHN_UNDEF &&
	    at - s->st_value < s->st_size;
}

static bool
find_in_table(int fd, const ElfW(Shdr) *table, uintptr_t at, ElfW(Sym) *found)
{
	ElfW(Sym) some[AT_ONCE];
	size_t n = table->sh_size / sizeof *some, m;

	for (size_t from = 0; from < n; from += m) {
		m = n - from < AT_ONCE ? n - from : AT_ONCE;
		if (!read_file_at(fd, some, m * sizeof *some, table->sh_offset +
		    from * sizeof *some))
			return false;
		for (size_t i = 0; i < m; i++)
			if (is_around(&some[i], at)) {
				*found = some[i];
				return true;
			}
	}
	return false;
}

/* The function around at, an address in the file, and how far in it is. */
static bool
find_symbol(int fd, uintptr_t at, char name[SYMBOL_NAME], size_t *inside)
{
	const unsigned types[] = { SHT_SYMTAB, SHT_DYNSYM };
	ElfW(Shdr) table, strings;
	ElfW(Ehdr) head;
	ElfW(Sym) s;
	ssize_t n;

	if (!read_file_at(fd, &head, sizeof head, 0) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
	    head.e_shentsize != sizeof table)
		return false;
	for (int i = 0; i < 2; i++) {
		if (!read_section(fd, &head, 0, types[i], &table) ||
		    !find_in_table(fd, &table, at, &s) ||
		    !read_section(fd, &head, table.sh_link, SHT_NULL,
		    &strings))
			continue;
		n = pread(fd, name, SYMBOL_NAME - 1,
		    (off_t)(strings.sh_offset + s.st_name));
		name[n > 0 ? n : 0] = '\0';
		*inside = at - s.st_value;
		return n > 0;
	}
	return false;
}

static const struct module *
find_module(uintptr_t at)
{
	for (int i = 0; modules && i < modules->n; i++)
		if (at >= modules->of[i].low && at < modules->of[i].high)
			return &modules->of[i];
	return NULL;
}

int
wf__os_symbol(char *text, size_t size, uintptr_t at)
{
	const struct module *m = find_module(at);
	int saved = errno, fd, n = 0;
	size_t inside = 0;
	char name[SYMBOL_NAME];

	if (!m)
		return snprintf(text, size, "0x%lx", (unsigned long)at);
	/* The system's own part has no file. */
	fd = m->path[0] == '/' ? open(m->path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		if (find_symbol(fd, at - m->bias, name, &inside))
			n = snprintf(text, size, "%s+0x%zx ", name, inside);
		close(fd);
	}
	if (n >= 0 && (size_t)n < size)
		n += snprintf(text + n, size - (size_t)n, "(%s+0x%lx)",
		    m->path, (unsigned long)(at - m->bias));
	errno = saved;
	return n;
}
