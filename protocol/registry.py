# SPDX-License-Identifier: MIT
"""Reads vk.xml: what the <vulkan/vulkan.h> beside it declares without platform or beta macros."""

import xml.etree.ElementTree as ElementTree


class Error(Exception):
    """Something in the input files that the generator cannot work with."""


class Variable:
    """A member of a structure or a parameter of a command."""

    def __init__(self, name, type_name, const=False, pointers=0, array=None):
        self.name = name
        self.type = type_name
        self.const = const
        self.pointers = pointers  # 0, 1 or 2
        self.array = array  # what stands in the brackets
        self.optional = [False]
        self.noautovalidity = False
        self.stype = None  # the sType's value, for that member
        self.selector = None  # for a union: the member that says which member of it is in use

    @classmethod
    def from_xml(cls, element):
        before, after = _declarator(element)
        array = None
        if '[' in after:
            # either text or a reference to a constant
            array = element.findtext('enum') or after[after.index('[') + 1 : after.index(']')]
        self = cls(
            element.findtext('name'),
            element.findtext('type'),
            before.split()[0] == 'const',
            before.count('*'),
            array,
        )
        self.optional = [flag == 'true' for flag in element.get('optional', 'false').split(',')]
        self.noautovalidity = element.get('noautovalidity') == 'true'
        self.stype = element.get('values') if self.name == 'sType' else None
        self.selector = element.get('selector')
        return self

    @classmethod
    def from_text(cls, text):
        """From 'const VkX* pX' and the like."""
        words = text.replace('*', ' * ').split()
        return cls(
            words[-1],
            words[1] if words[0] == 'const' else words[0],
            words[0] == 'const',
            words.count('*'),
        )

    def declaration(self):
        """C, without a semicolon. What an array parameter points to is taken by value."""
        const = 'const ' if self.const and self.pointers else ''
        stars = {0: '', 1: '*', 2: '*const *' if self.const else '**'}[self.pointers]
        array = f'[{self.array}]' if self.array else ''
        return f'{const}{self.type} {stars}{self.name}{array}'

    def nullable(self, level):
        """May the value (level 0) or what it points to (level 1) be NULL?"""
        if self.noautovalidity:
            return True
        return self.optional[level] if level < len(self.optional) else False


class Structure:
    def __init__(self, element):
        self.name = element.get('name')
        self.members = [Variable.from_xml(m) for m in element.findall('member') if _for_vulkan(m)]
        self.stype = next((m.stype for m in self.members if m.stype), None)

    def member(self, name):
        return next((m for m in self.members if m.name == name), None)


class Command:
    def __init__(self, element):
        self.name = element.findtext('proto/name')
        self.result = element.findtext('proto/type')
        self.params = [Variable.from_xml(p) for p in element.findall('param') if _for_vulkan(p)]


class Handle:
    def __init__(self, element):
        self.name = element.findtext('name')
        self.object_type = element.get('objtypeenum')
        self.dispatchable = element.findtext('type') == 'VK_DEFINE_HANDLE'


class Registry:
    """Everything is keyed by name. The entry of an alias is the same object as its target's."""

    def __init__(self, path):
        try:
            root = ElementTree.parse(path).getroot()
        except (OSError, ElementTree.ParseError) as error:
            raise Error(f'{path}: {error}') from error
        self.structs = {}
        self.commands = {}
        self.handles = {}
        self.aliases = {}  # command -> what it is an alias of
        self.values = {}  # enumerants and constants, numeric where they are numbers
        self.extension_of = {}  # command -> name of the extension or version that brought it
        self.extension_numbers = {}
        self._read_version(root)
        self._read_types(root)
        self._read_values(root)
        self._select(root)

    def _read_version(self, root):
        for element in root.iterfind("types/type[@category='define']"):
            if element.findtext('name') == 'VK_HEADER_VERSION' and _for_vulkan(element):
                self.patch = int(''.join(element.itertext()).split()[-1])
            if element.findtext('name') == 'VK_HEADER_VERSION_COMPLETE' and _for_vulkan(element):
                numbers = ''.join(element.itertext()).rpartition('(')[2].split(',')
                self.major, self.minor = int(numbers[1]), int(numbers[2])
        self.version = (self.major, self.minor, self.patch)

    def _read_types(self, root):
        aliases = {}
        for element in root.iterfind('types/type'):
            category = element.get('category')
            name = element.get('name') or element.findtext('name')
            if not _for_vulkan(element):
                continue
            if element.get('alias'):
                aliases[name] = element.get('alias')
            elif category in ('struct', 'union'):
                self.structs[name] = Structure(element)
            elif category == 'handle':
                self.handles[name] = Handle(element)
        for name, target in aliases.items():
            for table in (self.structs, self.handles):
                if target in table:
                    table[name] = table[target]
        for element in root.iterfind('commands/command'):
            if not _for_vulkan(element):
                continue
            if element.get('alias'):
                self.aliases[element.get('name')] = element.get('alias')
            else:
                command = Command(element)
                self.commands[command.name] = command
        for name, target in self.aliases.items():
            if target in self.commands:
                self.commands[name] = self.commands[target]

    def _read_values(self, root):
        for enums in root.iterfind('enums'):
            for element in enums.iterfind('enum'):
                self._add_value(element, None)

    def _add_value(self, element, number):
        name = element.get('name')
        if element.get('alias'):
            value = self.values.get(element.get('alias'), element.get('alias'))
        elif element.get('offset'):
            number = element.get('extnumber') or number
            value = 1000000000 + (int(number) - 1) * 1000 + int(element.get('offset'))
            value = -value if element.get('dir') == '-' else value
        elif element.get('bitpos'):
            value = 1 << int(element.get('bitpos'))
        elif element.get('value'):
            try:
                value = int(element.get('value'), 0)
            except ValueError:
                return
        else:
            return
        self.values[name] = value

    def _select(self, root):
        """Leaves only what the header declares unconditionally."""
        available = set()
        providers = [
            f
            for f in root.iterfind('feature')
            if {'vulkan', 'vulkanbase'} & set(f.get('api', '').split(','))
        ]
        for extension in root.iterfind('extensions/extension'):
            if (
                'vulkan' in extension.get('supported', '').split(',')
                and not extension.get('platform')
                and extension.get('provisional') != 'true'
            ):
                providers.append(extension)
                self.extension_numbers[extension.get('name')] = int(extension.get('number'))
        for provider in providers:
            for require in provider.iterfind('require'):
                if not _for_vulkan(require):
                    continue
                for element in require:
                    if element.tag in ('type', 'command') and _for_vulkan(element):
                        available.add(element.get('name'))
                    if element.tag == 'command':
                        self.extension_of.setdefault(element.get('name'), provider.get('name'))
                    if element.tag == 'enum' and _for_vulkan(element):
                        self._add_value(element, provider.get('number'))
        for table in (self.commands, self.aliases):
            for name in [name for name in table if name not in available]:
                del table[name]
        # The header also has whatever the commands and structures above are made of.
        queue = [name for name in available if name in self.structs]
        for command in self.commands.values():
            queue += [p.type for p in command.params]
        while queue:
            name = queue.pop()
            if name in self.structs:
                available.add(name)
                for member in self.structs[name].members:
                    if member.type not in available:
                        available.add(member.type)
                        queue.append(member.type)
            else:
                available.add(name)
        for table in (self.structs, self.handles):
            for name in [name for name in table if name not in available]:
                del table[name]
        self.types = available
        for name, value in list(self.values.items()):
            while isinstance(value, str) and value in self.values:
                value = self.values[value]
            self.values[name] = value

    def struct_of_stype(self, value):
        """The structure with that sType number, under the name of its definition."""
        for struct in self.structs.values():
            if struct.stype and self.values.get(struct.stype) == value:
                return struct
        return None

    def command_names(self, name):
        """All names of a command, that of its definition first."""
        command = self.commands[name]
        return [command.name] + sorted(
            n for n, c in self.commands.items() if c is command and n != command.name
        )


def _for_vulkan(element):
    api = element.get('api')
    return api is None or bool({'vulkan', 'vulkanbase'} & set(api.split(',')))


def _declarator(element):
    """The C text before and after the name."""
    parts = [element.text or '', '']
    side = 0
    for child in element:
        if child.tag == 'name':
            side = 1
        elif child.tag != 'comment':
            parts[side] += child.text or ''
        parts[side] += child.tail or ''
    return parts
