//! X11: pictures through shared memory, and only when something has changed (XDamage) or the pointer has moved.
//!
//! A window is read from its own pixmap (XComposite), so that what lies over it is not shown to the customer.

use super::{Screen, ScreenFault, preview};
use crate::painter::Frame;
use memmap2::MmapMut;
use sightline_wire::screen::{ScreenKind, ScreenSource};
use std::{env, fs::File};
use x11rb::{
    connection::{Connection, RequestConnection},
    errors::{ConnectError, ConnectionError, ReplyError, ReplyOrIdError},
    protocol::{
        Event,
        composite::{self, Redirect},
        damage::{self, ReportLevel},
        randr, shm,
        xfixes::{self, CursorNotifyMask},
        xproto::{
            Atom, AtomEnum, ChangeWindowAttributesAux, ConnectionExt, Drawable, EventMask, ImageFormat, MapState,
            Pixmap, Screen as XScreen, Window, WindowClass,
        },
    },
    rust_connection::RustConnection,
};

const WINDOW: &str = "x11:window:";
const MONITOR: &str = "x11:monitor:";
/// Smaller windows are helpers of their programs.
const SMALLEST: u16 = 64;
/// More windows than this nobody looks through.
const MOST_WINDOWS: usize = 24;
const LONGEST_NAME: usize = 80;

impl From<ConnectError> for ScreenFault {
    fn from(error: ConnectError) -> Self {
        ScreenFault::Unavailable(error.to_string())
    }
}

impl From<ConnectionError> for ScreenFault {
    fn from(error: ConnectionError) -> Self {
        ScreenFault::Unavailable(error.to_string())
    }
}

impl From<ReplyError> for ScreenFault {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::X11Error(_) => ScreenFault::Gone,
            ReplyError::ConnectionError(error) => error.into(),
        }
    }
}

impl From<ReplyOrIdError> for ScreenFault {
    fn from(error: ReplyOrIdError) -> Self {
        match error {
            ReplyOrIdError::X11Error(_) => ScreenFault::Gone,
            ReplyOrIdError::ConnectionError(error) => error.into(),
            ReplyOrIdError::IdsExhausted => ScreenFault::Unavailable("no more ids".into()),
        }
    }
}

impl From<std::io::Error> for ScreenFault {
    fn from(error: std::io::Error) -> Self {
        ScreenFault::Unavailable(error.to_string())
    }
}

/// The display with its extensions, which must be asked for before they are used.
struct Display {
    connection: RustConnection,
    root: Window,
}

impl Display {
    fn open() -> Result<Self, ScreenFault> {
        if env::var_os("WAYLAND_DISPLAY").is_some_and(|display| !display.is_empty()) {
            return Err(ScreenFault::Unavailable(
                "Wayland shows no other window through X11".into(),
            ));
        }
        let (connection, number) = RustConnection::connect(None)?;
        for extension in [
            composite::X11_EXTENSION_NAME,
            damage::X11_EXTENSION_NAME,
            randr::X11_EXTENSION_NAME,
            shm::X11_EXTENSION_NAME,
            xfixes::X11_EXTENSION_NAME,
        ] {
            if connection.extension_information(extension)?.is_none() {
                return Err(ScreenFault::Unavailable(format!("the X server lacks {extension}")));
            }
        }
        composite::query_version(&connection, 0, 4)?.reply()?;
        damage::query_version(&connection, 1, 1)?.reply()?;
        xfixes::query_version(&connection, 5, 0)?.reply()?;
        randr::query_version(&connection, 1, 5)?.reply()?;
        let screen: &XScreen = &connection.setup().roots[number];
        if screen.root_depth < 24 {
            return Err(ScreenFault::Unavailable("fewer than 24 bits a pixel".into()));
        }
        let root = screen.root;
        Ok(Self { connection, root })
    }

    fn atom(&self, name: &str) -> Result<Atom, ScreenFault> {
        Ok(self.connection.intern_atom(false, name.as_bytes())?.reply()?.atom)
    }

    fn property(&self, window: Window, name: &str) -> Result<Vec<u8>, ScreenFault> {
        let atom = self.atom(name)?;
        let asked = self
            .connection
            .get_property(false, window, atom, AtomEnum::ANY, 0, 4_096)?;
        Ok(asked.reply()?.value)
    }

    fn numbers(&self, window: Window, name: &str) -> Result<Vec<u32>, ScreenFault> {
        let bytes = self.property(window, name)?;
        let words = bytes.chunks_exact(4);
        Ok(words
            .map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]]))
            .collect())
    }

    fn monitors(&self) -> Result<Vec<(String, Area)>, ScreenFault> {
        let monitors = randr::get_monitors(&self.connection, self.root, true)?
            .reply()?
            .monitors;
        let mut found = Vec::new();
        for monitor in monitors {
            let name = self.connection.get_atom_name(monitor.name)?.reply()?.name;
            let area = Area {
                x: monitor.x,
                y: monitor.y,
                width: monitor.width,
                height: monitor.height,
            };
            found.push((String::from_utf8_lossy(&name).into_owned(), area));
        }
        Ok(found)
    }

    /// Other programs' windows, topmost first: the window manager's list, or the root's children without one.
    fn windows(&self) -> Result<Vec<Window>, ScreenFault> {
        let mut windows = self.numbers(self.root, "_NET_CLIENT_LIST_STACKING")?;
        if windows.is_empty() {
            windows = self.numbers(self.root, "_NET_CLIENT_LIST")?;
        }
        if windows.is_empty() {
            windows = self.connection.query_tree(self.root)?.reply()?.children;
        }
        windows.reverse();
        Ok(windows)
    }

    /// Its title, when it is a window to share: seen, large enough, and not this program's own, which shows other
    /// customers' conversations.
    fn shareable(&self, window: Window) -> Result<Option<String>, ScreenFault> {
        let attributes = self.connection.get_window_attributes(window)?.reply()?;
        let geometry = self.connection.get_geometry(window)?.reply()?;
        let seen = attributes.map_state == MapState::VIEWABLE
            && attributes.class == WindowClass::INPUT_OUTPUT
            && !attributes.override_redirect;
        let own = self.numbers(window, "_NET_WM_PID")?.first() == Some(&std::process::id());
        if !seen || own || geometry.width < SMALLEST || geometry.height < SMALLEST {
            return Ok(None);
        }
        let mut title = self.property(window, "_NET_WM_NAME")?;
        if title.is_empty() {
            title = self.property(window, "WM_NAME")?;
        }
        let title: String = String::from_utf8_lossy(&title)
            .trim()
            .chars()
            .take(LONGEST_NAME)
            .collect();
        Ok((!title.is_empty()).then_some(title))
    }
}

/// Windows, then monitors, with small pictures.
pub fn list() -> Result<Vec<ScreenSource>, ScreenFault> {
    let display = Display::open()?;
    let mut sources = Vec::new();
    for window in display.windows()? {
        // A window may close while the list is made.
        let Ok(Some(name)) = display.shareable(window) else {
            continue;
        };
        sources.extend(source(format!("{WINDOW}{window}"), ScreenKind::Window, name));
        if sources.len() == MOST_WINDOWS {
            break;
        }
    }
    let monitors = display.monitors()?;
    let only = monitors.len() == 1;
    for (number, (name, _)) in monitors.into_iter().enumerate() {
        let shown = if only {
            "Whole screen".to_owned()
        } else {
            format!("Screen {} ({name})", number + 1)
        };
        sources.extend(source(format!("{MONITOR}{name}"), ScreenKind::Monitor, shown));
    }
    Ok(sources)
}

fn source(id: String, kind: ScreenKind, name: String) -> Option<ScreenSource> {
    let mut capture = Capture::open(&id)
        .inspect_err(|fault| tracing::debug!(%fault, "a screen that cannot be shared"))
        .ok()?;
    let picture = capture.grab().ok().flatten();
    Some(ScreenSource {
        id,
        kind,
        name,
        width: capture.area.width.into(),
        height: capture.area.height.into(),
        preview: picture.as_ref().and_then(preview),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Area {
    x: i16,
    y: i16,
    width: u16,
    height: u16,
}

/// What is captured.
enum Subject {
    Monitor(String),
    Window {
        window: Window,
        /// Its content, apart from what lies over it; made anew when the window changes size.
        pixmap: Option<Pixmap>,
    },
}

/// A running capture. Its connection ends with it, and everything made on the server with that.
pub struct Capture {
    display: Display,
    subject: Subject,
    area: Area,
    memory: Option<Memory>,
    dirty: bool,
    /// The pointer's last place on the root window.
    pointer: (i16, i16),
}

struct Memory {
    segment: shm::Seg,
    map: MmapMut,
}

impl Capture {
    /// Opens what [`list`] named.
    pub fn open(id: &str) -> Result<Self, ScreenFault> {
        let display = Display::open()?;
        let subject = match (id.strip_prefix(WINDOW), id.strip_prefix(MONITOR)) {
            (Some(window), _) => Subject::Window {
                window: window.parse().map_err(|_| ScreenFault::Gone)?,
                pixmap: None,
            },
            (_, Some(name)) => Subject::Monitor(name.to_owned()),
            (None, None) => return Err(ScreenFault::Gone),
        };
        let connection = &display.connection;
        let watched = match subject {
            Subject::Window { window, .. } => {
                let events = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
                connection.change_window_attributes(window, &events)?.check()?;
                composite::redirect_window(connection, window, Redirect::AUTOMATIC)?.check()?;
                window
            }
            Subject::Monitor(_) => display.root,
        };
        let damaged = connection.generate_id()?;
        damage::create(connection, damaged, watched, ReportLevel::NON_EMPTY)?.check()?;
        xfixes::select_cursor_input(connection, display.root, CursorNotifyMask::DISPLAY_CURSOR)?;
        randr::select_input(connection, display.root, randr::NotifyMask::SCREEN_CHANGE)?;
        let mut capture = Self {
            display,
            subject,
            area: Area::default(),
            memory: None,
            dirty: true,
            pointer: (0, 0),
        };
        capture.measure()?;
        Ok(capture)
    }

    /// Follows the place and size of what is captured.
    fn measure(&mut self) -> Result<(), ScreenFault> {
        let connection = &self.display.connection;
        let area = match &mut self.subject {
            Subject::Monitor(name) => {
                let monitors = self.display.monitors()?;
                let found = monitors.into_iter().find(|(listed, _)| listed == name);
                found.ok_or(ScreenFault::Gone)?.1
            }
            Subject::Window { window, pixmap } => {
                let geometry = connection.get_geometry(*window)?.reply()?;
                let size = (geometry.width & !1, geometry.height & !1);
                let border = geometry.border_width as i16;
                if let Some(old) = pixmap.take() {
                    connection.free_pixmap(old)?;
                }
                let fresh = connection.generate_id()?;
                // A window that is not on the screen has no content: its last picture stays.
                if composite::name_window_pixmap(connection, *window, fresh)?
                    .check()
                    .is_ok()
                {
                    *pixmap = Some(fresh);
                }
                Area {
                    x: border,
                    y: border,
                    width: size.0,
                    height: size.1,
                }
            }
        };
        // Chroma has half the resolution.
        let area = Area {
            width: area.width & !1,
            height: area.height & !1,
            ..area
        };
        if area.width < 2 || area.height < 2 {
            return Err(ScreenFault::Gone);
        }
        if (area.width, area.height) != (self.area.width, self.area.height) {
            if let Some(old) = self.memory.take() {
                shm::detach(connection, old.segment)?;
            }
            let size = u32::from(area.width) * u32::from(area.height) * 4;
            let segment = connection.generate_id()?;
            let file = shm::create_segment(connection, segment, size, false)?.reply()?.shm_fd;
            // SAFETY: the X server writes into it only while it answers our own request, for which `read` waits.
            let map = unsafe { MmapMut::map_mut(&File::from(file))? };
            self.memory = Some(Memory { segment, map });
        }
        self.area = area;
        self.dirty = true;
        Ok(())
    }

    fn follow_events(&mut self) -> Result<(), ScreenFault> {
        let mut changed = false;
        while let Some(event) = self.display.connection.poll_for_event()? {
            match event {
                Event::DamageNotify(notify) => {
                    damage::subtract(&self.display.connection, notify.damage, x11rb::NONE, x11rb::NONE)?;
                    self.dirty = true;
                }
                Event::XfixesCursorNotify(_) => self.dirty = true,
                Event::ConfigureNotify(_) | Event::MapNotify(_) | Event::RandrScreenChangeNotify(_) => changed = true,
                Event::DestroyNotify(_) => return Err(ScreenFault::Gone),
                _ => {}
            }
        }
        if changed { self.measure() } else { Ok(()) }
    }

    /// The pointer's place on the picture, and whether it has moved there since the last call.
    fn follow_pointer(&mut self) -> Result<(), ScreenFault> {
        let pointer = self.display.connection.query_pointer(self.display.root)?.reply()?;
        let now = (pointer.root_x, pointer.root_y);
        self.dirty |= now != self.pointer;
        self.pointer = now;
        Ok(())
    }

    /// Where the picture begins on the root window.
    fn origin(&self) -> Result<(i16, i16), ScreenFault> {
        match self.subject {
            Subject::Monitor(_) => Ok((self.area.x, self.area.y)),
            Subject::Window { window, .. } => {
                let connection = &self.display.connection;
                let place = connection
                    .translate_coordinates(window, self.display.root, 0, 0)?
                    .reply()?;
                Ok((place.dst_x, place.dst_y))
            }
        }
    }

    fn read(&mut self, drawable: Drawable) -> Result<Frame, ScreenFault> {
        let Area { x, y, width, height } = self.area;
        let origin = self.origin()?;
        let connection = &self.display.connection;
        let memory = self.memory.as_mut().ok_or(ScreenFault::Gone)?;
        let format = ImageFormat::Z_PIXMAP.into();
        shm::get_image(connection, drawable, x, y, width, height, !0, format, memory.segment, 0)?.reply()?;
        let cursor = xfixes::get_cursor_image(connection)?.reply()?;
        let corner = (
            i32::from(cursor.x) - i32::from(cursor.xhot) - i32::from(origin.0),
            i32::from(cursor.y) - i32::from(cursor.yhot) - i32::from(origin.1),
        );
        blend(
            &mut memory.map,
            (width.into(), height.into()),
            &cursor.cursor_image,
            cursor.width.into(),
            corner,
        );
        Frame::from_bgrx(width.into(), height.into(), &memory.map)
            .map_err(|error| ScreenFault::Unavailable(error.to_string()))
    }
}

impl Screen for Capture {
    fn grab(&mut self) -> Result<Option<Frame>, ScreenFault> {
        self.follow_events()?;
        self.follow_pointer()?;
        let drawable = match self.subject {
            Subject::Monitor(_) => self.display.root,
            Subject::Window {
                pixmap: Some(pixmap), ..
            } => pixmap,
            Subject::Window { pixmap: None, .. } => return Ok(None),
        };
        if !self.dirty {
            return Ok(None);
        }
        self.dirty = false;
        match self.read(drawable) {
            Ok(frame) => Ok(Some(frame)),
            Err(ScreenFault::Gone) => {
                // It has changed between the event and the picture; if it is really gone, this says so.
                self.measure()?;
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }
}

/// Draws the pointer (premultiplied ARGB) into BGRx `pixels`, its corner at `at`; what lies outside is left out.
fn blend(pixels: &mut [u8], (width, height): (i32, i32), cursor: &[u32], cursor_width: i32, at: (i32, i32)) {
    for (index, &argb) in (0..).zip(cursor) {
        let (x, y) = (at.0 + index % cursor_width.max(1), at.1 + index / cursor_width.max(1));
        let alpha = argb >> 24;
        if alpha == 0 || x < 0 || y < 0 || x >= width || y >= height {
            continue;
        }
        let start = ((y * width + x) * 4) as usize;
        for (channel, sample) in pixels[start..start + 3].iter_mut().enumerate() {
            let over = argb >> (8 * channel) & 0xff;
            *sample = (over + u32::from(*sample) * (255 - alpha) / 255).min(255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::blend;

    #[test]
    fn the_pointer_is_drawn_and_cut_at_the_edge() {
        let mut pixels = vec![100; 2 * 2 * 4];
        blend(
            &mut pixels,
            (2, 2),
            &[0xff00_00ff, 0x0000_0000, 0x8000_0000, 0xffff_ffff],
            2,
            (1, 0),
        );
        // Blue at (1, 0); half black at (1, 1); the rest lies outside.
        assert_eq!(pixels[4..7], [255, 0, 0]);
        assert_eq!(pixels[12..15], [49, 49, 49]);
        assert_eq!(pixels[..3], [100; 3]);
        assert_eq!(pixels[8..11], [100; 3]);
    }
}
